# Examples of autoencoders without latent variables.
add_program_test(
  denoising_autoencoder
  ARGUMENTS --epochs 12 --latent 128 --batch-size 32
  PICTURES restored.png filters.png
  PLOTS loss.png
  FIGURES "MSE of the noisy images:0.03:0.035" "MSE restored by the plain autoencoder:0.018:0.024"
          "MSE restored by the denoising autoencoder:0.008:0.012")
foreach(noise gaussian salt-and-pepper)
  set(noisy 0.02:0.023)
  if(noise STREQUAL salt-and-pepper)
    set(noisy 0.09:0.1)
  endif()
  add_program_test(
    denoising_${noise}
    PROGRAM denoising_autoencoder
    ARGUMENTS --epochs 1 --latent 16 --noise ${noise} --amount 0.2
    PICTURES restored.png
    FIGURES "MSE of the noisy images:${noisy}" "MSE restored by the denoising autoencoder:0.1:0.15")
endforeach()
add_program_test(
  deep_autoencoder
  ARGUMENTS --epochs 2
  PICTURES reconstruction.png
  PLOTS loss.png
  FIGURES "test SSE:11:17" "train SSE:13:20" "test SSE of PCA:9.4:9.6")
add_program_test(
  tied_autoencoder
  ARGUMENTS --epochs 20 --latent 8 --batch-size 32 --learning-rate 0.003
  PICTURES reconstruction.png filters.png components.png
  PLOTS loss.png
  FIGURES "test MSE:0.0255:0.029" "test MSE of PCA:0.0275:0.028")
add_program_test(
  sparse_autoencoder
  ARGUMENTS --epochs 3 --latent 64 --lambda 0.001
  PICTURES reconstruction.png filters.png
  PLOTS loss.png
  FIGURES "test BCE:0.17:0.21" "mean code:0.5:1" "zeros %:30:60" "dead units of encoder.1:-1:10")
add_program_test(
  sparse_autoencoder_adadelta
  PROGRAM sparse_autoencoder
  ARGUMENTS --epochs 3 --latent 64 --adadelta
  PICTURES reconstruction.png filters.png
  FIGURES "test BCE:0.24:0.27" "mean code:1.7:2" "zeros %:30:45")
add_program_test(
  sparse_autoencoder_rho
  PROGRAM sparse_autoencoder
  ARGUMENTS --epochs 20 --latent 64 --rho 0.1 --beta 0.05
  PICTURES reconstruction.png filters.png
  FIGURES "test BCE:0.18:0.23" "mean code:0.09:0.2" "zeros %:-1:1")
add_program_test(
  k_sparse_autoencoder
  ARGUMENTS --epochs 3 --latent 64 --k 8 --alpha 2 --batch-size 64
  PICTURES reconstruction.png filters.png
  PLOTS loss.png
  FIGURES "test MSE:0.018:0.025" "zeros %:74.9:75.1" "dead units of encoder.1:-1:5" "probe error %:6:12")
add_program_test(
  stacked_autoencoder
  ARGUMENTS --epochs 2 --widths 128 64 --noise 0.1 0.2 --fine-tuning 5 --learning-rate 0.005
  PICTURES filters.png denoised.png
  PLOTS loss.png
  FIGURES "test error %:3:9")
add_program_test(
  convolutional_autoencoder
  ARGUMENTS --epochs 1 --batch-size 64
  PICTURES reconstruction.png filters.png
  PLOTS loss.png
  FIGURES "test BCE:0.18:0.23")
add_program_test(
  anomaly_detection
  ARGUMENTS --epochs 6 --latent 4 --batch-size 16
  PICTURES strangest.png
  PLOTS auc.png
  FIGURES "AUC of 0:0.93:0.99" "false alarms of 0:0:0.1" "mean AUC:0.89:0.95")
add_program_test(
  hyperparameter_search
  ARGUMENTS --epochs 2 --trials 3
  FIGURES "validation loss of the best:0.1:0.14" "validation loss of the worst:0.2:0.3" "test loss of the best:0.1:0.14")
