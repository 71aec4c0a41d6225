//! What `--help` shows at its end. `help` puts the name by which the program was called in `burncam`'s place.

pub(super) const EXAMPLES: &str = "\
Examples:
  burncam explain
      Explain the demo into burncam-demo/.
  burncam explain --weights VGG16.h5 --data faces --out results
      Explain every image of faces/Fold0, faces/Fold1, …
  burncam explain --weights VGG16.h5 NCNN.h5 --data faces
      Explain with two networks, side by side in one report.
  burncam explain --weights 'models/VGG16_{fold}.h5' --data faces
      Explain the images of each fold with that fold's own network.
  burncam explain --weights NCNN.h5 --data faces --labels 'tokens:No_pain=sem;Pain=dor'
      Read the true class from whole words of the file names.
  burncam explain --weights NCNN.h5 --data faces --class Pain --layer conv_2x2
      Show what speaks for Pain, at an earlier layer.
  burncam explain --weights resnet50.pth --data photos --classes imagenet.json --top 5
      Explain with PyTorch's weights; name the classes, and list the five likeliest.
  burncam explain --weights VGG16.h5 --data faces --out results --resume
      Go on after Ctrl-C, a full disk or a power cut.
  burncam explain --weights VGG16.h5 --data faces --out part2 --shard 2/4
      Explain a quarter of the images; then `burncam report part1 part2 part3 part4`.

Ctrl-C finishes the images in hand and writes the reports of what is done; a second one stops at once.

Exit codes: 0 all images explained; 1 some failed, the others are written; 2 usage or fatal error;
130 stopped by Ctrl-C. After all but 0, --resume goes on with what is missing.";

pub(super) const MODELS_EXAMPLES: &str = "\
Example:
  burncam models
      List networks, variants, inputs, preprocessing and map layers.";

pub(super) const INSPECT_EXAMPLES: &str = "\
Examples:
  burncam inspect VGG16.h5
      Say which network the file holds, and list its layers.
  burncam inspect mine.h5 --model resnet50
      Show where the file first differs from ResNet50.

Exit codes: 0 the file's network is supported; 2 it is not, or usage or fatal error.";

pub(super) const LAYERS_EXAMPLES: &str = "\
Examples:
  burncam layers VGG16.h5
      List the layers; then, with one of them:
  burncam explain --weights VGG16.h5 --data faces --layer conv4_3";

pub(super) const CONVERT_EXAMPLES: &str = "\
Examples:
  burncam convert VGG16.h5 --out VGG16.bpk
      Write Burn's own format; then, with the new file alone:
  burncam explain --weights VGG16.bpk --data faces
  burncam convert VGG16.h5 --out VGG16.safetensors
      Write a file that Python reads with `safetensors.numpy.load_file`.

Exit codes: 0 the file is written; 2 usage or fatal error, and nothing is written.";

pub(super) const VERIFY_EXAMPLES: &str = "\
Examples:
  burncam verify --device gpu
      Check every network on the first GPU.
  burncam verify VGG16.h5 --device gpu
      Check with a network of your own.

Exit codes: 0 everything is within tolerance; 1 something is not; 2 usage or fatal error.";

pub(super) const REPORT_EXAMPLES: &str = "\
Examples:
  burncam report results --lang pt-BR
      Make the page of a run again, in Portuguese.
  burncam report folds0-4 folds5-9 --out all --subject '(S[0-9]+)_'
      Join what two machines explained; intervals over subjects.
  burncam report part1 part2 part3 part4 --out all
      Join the parts of one run (explain --shard), with predictions.csv and the other tables of it.

Exit codes: 0 the page is written; 1 it is, but a part or images of an unfinished run are missing; 2
usage or fatal error.";

pub(super) const FIGURE_EXAMPLES: &str = "\
Examples:
  burncam figure results
      Show the images that the page shows first, with a map of each network, in results/figure.pdf.
  burncam figure results --images outcome=wrong --columns original,VGG16:grad-cam,VGG16:layer-cam --out wrong.pdf
      Show the first six images that were taken for another class, with two maps of one network.
  burncam figure results --images chosen.csv --width 88 --out figure.svg --out figure.png --dpi 600
      Show the images of a list, as wide as a column of a journal, in two formats.
  burncam figure results --mean --lang pt-BR --out media.pdf
      Show the mean maps by class and outcome, in Portuguese.
  burncam figure results --curves --out curves.pdf
      Show ROC curves and reliability, and deletion and insertion, where they were measured.

Exit codes: 0 the figure is written; 2 usage or fatal error.";

pub(super) const COMPARE_EXAMPLES: &str = "\
Examples:
  python tests/reference/dump_activations.py VGG16.h5 face.png dump.npz
      Let Keras write what its layers compute; then:
  burncam compare VGG16.h5 --reference dump.npz
  burncam compare resnet50.pth --reference torch.npz
      Check PyTorch's weights against what dump_torch.py wrote.
  burncam compare VGG16.bpk --reference dump.npz --device gpu --tolerance 1e-3
      Check a converted file, on the GPU.
  burncam compare checkpoints
      Check every file that `python tests/reference/make_checkpoints.py checkpoints` wrote.

Exit codes: 0 all layers are within the tolerance; 1 some are past it; 2 usage or fatal error.";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples, for each shell its usual place:
  burncam completions bash > ~/.local/share/bash-completion/completions/burncam
  burncam completions zsh > ~/.zfunc/_burncam
  burncam completions fish > ~/.config/fish/completions/burncam.fish
  burncam completions powershell >> $PROFILE";

pub(super) const MAN_EXAMPLES: &str = "\
Example:
  burncam man ~/.local/share/man/man1
      Then `man burncam` and `man burncam-explain` show the manual.";
