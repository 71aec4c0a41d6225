//! What `--help` shows at its end.

pub(super) const EXAMPLES: &str = "\
Examples:
  cargo xtask explain
      Explain the demo into burncam-demo/.
  cargo xtask explain --weights VGG16.h5 --data faces --out results
      Explain every image of faces/Fold0, faces/Fold1, …
  cargo xtask explain --weights VGG16.h5 NCNN.h5 --data faces
      Explain with two networks, side by side in one report.
  cargo xtask explain --weights 'models/VGG16_{fold}.h5' --data faces
      Explain the images of each fold with that fold's own network.
  cargo xtask explain --weights NCNN.h5 --data faces --labels 'tokens:No_pain=sem;Pain=dor'
      Read the true class from whole words of the file names.
  cargo xtask explain --weights NCNN.h5 --data faces --class Pain --layer conv_2x2
      Show what speaks for Pain, at an earlier layer.
  cargo xtask explain --weights resnet50.pth --data photos --classes imagenet.json --top 5
      Explain with PyTorch's weights; name the classes, and list the five likeliest.
  cargo xtask explain --weights VGG16.h5 --data faces --out results --resume
      Go on after Ctrl-C, a full disk or a power cut.
  cargo xtask explain --weights VGG16.h5 --data faces --out part2 --shard 2/4
      Explain a quarter of the images; then `cargo xtask report part1 part2 part3 part4`.

Ctrl-C finishes the images in hand and writes the reports of what is done; a second one stops at once.

Exit codes: 0 all images explained; 1 some failed, the others are written; 2 usage or fatal error;
130 stopped by Ctrl-C. After all but 0, --resume goes on with what is missing.";

pub(super) const MODELS_EXAMPLES: &str = "\
Example:
  cargo xtask models
      List networks, variants, inputs, preprocessing and map layers.";

pub(super) const INSPECT_EXAMPLES: &str = "\
Examples:
  cargo xtask inspect VGG16.h5
      Say which network the file holds, and list its layers.
  cargo xtask inspect mine.h5 --model resnet50
      Show where the file first differs from ResNet50.

Exit codes: 0 the file's network is supported; 2 it is not, or usage or fatal error.";

pub(super) const LAYERS_EXAMPLES: &str = "\
Examples:
  cargo xtask layers VGG16.h5
      List the layers; then, with one of them:
  cargo xtask explain --weights VGG16.h5 --data faces --layer conv4_3";

pub(super) const CONVERT_EXAMPLES: &str = "\
Examples:
  cargo xtask convert VGG16.h5 --out VGG16.bpk
      Write Burn's own format; then, with the new file alone:
  cargo xtask explain --weights VGG16.bpk --data faces
  cargo xtask convert VGG16.h5 --out VGG16.safetensors
      Write a file that Python reads with `safetensors.numpy.load_file`.

Exit codes: 0 the file is written; 2 usage or fatal error, and nothing is written.";

pub(super) const VERIFY_EXAMPLES: &str = "\
Examples:
  cargo xtask verify --device gpu
      Check every network on the first GPU.
  cargo xtask verify VGG16.h5 --device gpu
      Check with a network of your own.

Exit codes: 0 everything is within tolerance; 1 something is not; 2 usage or fatal error.";

pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  cargo xtask report results --lang pt-BR
      Make the page of a run again, in Portuguese.
  cargo xtask report folds0-4 folds5-9 --out all --subject '(S[0-9]+)_'
      Join what two machines explained; intervals over subjects.
  cargo xtask report part1 part2 part3 part4 --out all
      Join the parts of one run (explain --shard), with predictions.csv and the other tables of it.

Exit codes: 0 the page is written; 1 it is, but a part or images of an unfinished run are missing; 2
usage or fatal error.";

pub(super) const COMPARE_EXAMPLES: &str = "\
Examples:
  python tests/reference/dump_activations.py VGG16.h5 face.png dump.npz
      Let Keras write what its layers compute; then:
  cargo xtask compare VGG16.h5 --reference dump.npz
  cargo xtask compare resnet50.pth --reference torch.npz
      Check PyTorch's weights against what dump_torch.py wrote.
  cargo xtask compare VGG16.bpk --reference dump.npz --device gpu --tolerance 1e-3
      Check a converted file, on the GPU.
  cargo xtask compare checkpoints
      Check every file that `python tests/reference/make_checkpoints.py checkpoints` wrote.

Exit codes: 0 all layers are within the tolerance; 1 some are past it; 2 usage or fatal error.";
