# Examples of autoencoders without latent variables.
