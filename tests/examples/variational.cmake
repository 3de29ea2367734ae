# Examples of the variational family.
add_program_test(
  importance_weighted_autoencoder
  ARGUMENTS --epochs 1 --stages 2 --draws 50 --batch-size 64 --latent 8 --k 3
  PICTURES samples.png
  PLOTS likelihood.png
  FIGURES "NLL after stage 1:132:146" "NLL after stage 2:118:131" "active units:6:9")
add_program_test(
  convolutional_vae
  ARGUMENTS --epochs 1 --batch-size 64 --all-images
  PICTURES reconstruction.png manifold.png
  PLOTS loss.png latent_plane.png
  FIGURES "train loss:200:330" "train reconstruction:200:330" "train kl:4:12" "test loss:160:220" "dead units of encoder.6:-1:4")
foreach(variance fixed optimal learned)
  add_program_test(
    gaussian_vae_${variance}
    PROGRAM gaussian_vae
    ARGUMENTS --variance ${variance} --sigma 0.25 --epochs 1 --batch-size 64 --latent 8
    PICTURES reconstruction.png samples.png
    PLOTS loss.png
    FIGURES "test loss:-160:70" "test MSE:0.035:0.05" "sigma:0.18:0.38")
endforeach()
add_program_test(
  beta_vae
  DATA bars
  ARGUMENTS --epochs 1 --batch-size 64 --latent 3 --beta 10 --free-bits 0.1 --warm-up-steps 10 --capacity 2 --capacity-steps 20
  PICTURES traversal.png
  PLOTS loss.png divergence.png
  FIGURES "train loss:290:360" "train kl:1:3" "active units:1:4" "mutual information gap:0.01:0.1" "KL of z_2:0.1:0.3")
add_program_test(
  conditional_vae
  ARGUMENTS --epochs 1 --batch-size 64 --latent 8
  PICTURES samples.png
  PLOTS loss.png
  FIGURES "test loss:160:175" "test loss without classes:175:190")
add_program_test(
  vq_vae
  ARGUMENTS --epochs 4 --batch-size 32 --latent 32 --dimensions 4 --codes 16
  PICTURES reconstruction.png
  PLOTS loss.png codebook.png
  FIGURES
    "test MSE:0.019:0.026"
    "PSNR:16:18"
    "SSIM:0.55:0.75"
    "codes used:3:17"
    "perplexity:3:16.1"
    "bits per image:31.9:32.1"
    "times smaller:195:197")
add_program_test(
  wasserstein_autoencoder
  ARGUMENTS --epochs 1 --batch-size 64 --latent 8
  PICTURES wasserstein/reconstruction.png wasserstein/samples.png plain/samples.png
  PLOTS wasserstein/loss.png plain/loss.png
  FIGURES "wasserstein test MSE:0.025:0.036" "plain test MSE:0.035:0.05" "wasserstein MMD^2:0:0.3" "plain MMD^2:2:6")
