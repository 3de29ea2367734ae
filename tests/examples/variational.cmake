# Examples of the variational family.
add_program_test(
  importance_weighted_autoencoder
  ARGUMENTS --epochs 1 --stages 2 --draws 50 --batch-size 64 --latent 8 --k 3
  PICTURES samples.png
  PLOTS likelihood.png
  FIGURES "NLL after stage 1:50:400" "NLL after stage 2:50:250" "active units:-1:9")
add_program_test(
  convolutional_vae
  ARGUMENTS --epochs 1 --batch-size 64 --all-images
  PICTURES reconstruction.png manifold.png
  PLOTS loss.png latent_plane.png
  FIGURES "train loss:100:400" "train reconstruction:100:400" "train kl:0:60" "test loss:100:300")
foreach(variance fixed optimal learned)
  add_program_test(
    gaussian_vae_${variance}
    PROGRAM gaussian_vae
    ARGUMENTS --variance ${variance} --sigma 0.25 --epochs 1 --batch-size 64 --latent 8
    PICTURES reconstruction.png samples.png
    PLOTS loss.png
    FIGURES "test loss:-700:100" "test MSE:0.01:0.1" "sigma:0.1:0.4")
endforeach()
add_program_test(
  beta_vae
  DATA bars
  ARGUMENTS --epochs 1 --batch-size 64 --latent 3 --beta 10 --free-bits 0.1 --warm-up-steps 10 --capacity 2 --capacity-steps 20
  PICTURES traversal.png
  PLOTS loss.png divergence.png
  FIGURES "train loss:10:600" "active units:-1:4" "mutual information gap:0:1" "KL of z_2:0:20")
add_program_test(
  conditional_vae
  ARGUMENTS --epochs 1 --batch-size 64 --latent 8
  PICTURES samples.png
  PLOTS loss.png
  FIGURES "test loss:100:300" "test loss without classes:100:300")
add_program_test(
  vq_vae
  ARGUMENTS --epochs 1 --batch-size 64 --latent 32 --dimensions 4 --codes 16
  PICTURES reconstruction.png
  PLOTS loss.png codebook.png
  FIGURES
    "test MSE:0.01:0.1"
    "PSNR:9:30"
    "SSIM:0.1:1"
    "codes used:1:17"
    "perplexity:1:16.1"
    "bits per image:31.9:32.1"
    "times smaller:195:197")
add_program_test(
  wasserstein_autoencoder
  ARGUMENTS --epochs 1 --batch-size 64 --latent 8
  PICTURES wasserstein/reconstruction.png wasserstein/samples.png plain/samples.png
  PLOTS wasserstein/loss.png plain/loss.png
  FIGURES "wasserstein test MSE:0.01:0.1" "plain test MSE:0.01:0.1" "wasserstein MMD^2:-0.1:1" "plain MMD^2:0:10")
