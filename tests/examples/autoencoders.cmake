# Examples of autoencoders without latent variables.
add_program_test(
  denoising_autoencoder
  ARGUMENTS --epochs 3 --latent 64 --batch-size 32
  PICTURES restored.png filters.png
  PLOTS loss.png
  FIGURES "MSE of the noisy images:0.01:0.2" "MSE restored by the plain autoencoder:0.005:0.2"
          "MSE restored by the denoising autoencoder:0.005:0.1")
foreach(noise gaussian salt-and-pepper)
  add_program_test(
    denoising_${noise}
    PROGRAM denoising_autoencoder
    ARGUMENTS --epochs 1 --latent 16 --noise ${noise} --amount 0.2
    PICTURES restored.png
    FIGURES "MSE of the noisy images:0.005:0.2")
endforeach()
add_program_test(
  deep_autoencoder
  ARGUMENTS --epochs 2
  PICTURES reconstruction.png
  PLOTS loss.png
  FIGURES "test SSE:1:60" "test SSE of PCA:1:40")
add_program_test(
  tied_autoencoder
  ARGUMENTS --epochs 20 --latent 8 --batch-size 32 --learning-rate 0.003
  PICTURES reconstruction.png filters.png components.png
  PLOTS loss.png
  FIGURES "test MSE:0.01:0.06" "test MSE of PCA:0.01:0.05")
add_program_test(
  k_sparse_autoencoder
  PROGRAM sparse_autoencoder
  ARGUMENTS --epochs 3 --latent 64 --k 8 --probe
  PICTURES reconstruction.png
  PLOTS loss.png
  FIGURES "zeros %:87.4:87.6" "test BCE:0.05:0.4" "probe error %:0:50")
add_program_test(
  stacked_autoencoder
  ARGUMENTS --epochs 2 --widths 128 64 --noise 0.1 0.2 --fine-tuning 5 --fine-tuning-rate 0.005
  PICTURES filters.png denoised.png
  PLOTS loss.png
  FIGURES "validation error %:-1:40" "test error %:-1:40")
add_program_test(
  convolutional_autoencoder
  ARGUMENTS --epochs 1 --batch-size 64
  PICTURES reconstruction.png filters.png
  PLOTS loss.png
  FIGURES "test BCE:0.1:0.6")
add_program_test(
  anomaly_detection
  ARGUMENTS --epochs 1 --latent 4
  PICTURES strangest.png
  PLOTS auc.png
  FIGURES "AUC of 0:0:1.01" "mean AUC:0.3:1")
add_program_test(
  hyperparameter_search
  ARGUMENTS --epochs 2 --trials 3
  FIGURES "validation loss of the best:0.05:0.4" "validation loss of the worst:0.05:0.8" "test loss of the best:0.05:0.4")
