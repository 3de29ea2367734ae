# Examples of the variational family.
add_program_test(
  importance_weighted_autoencoder
  ARGUMENTS --epochs 1 --stages 2 --draws 50 --batch-size 64 --latent 8 --k 3
  PICTURES samples.png
  PLOTS likelihood.png
  FIGURES "NLL after stage 1:50:400" "NLL after stage 2:50:250" "active units:-1:9")
