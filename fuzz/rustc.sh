#!/bin/sh
# Stands before rustc, so that only what reads files counts what it runs through: Burn would drown it.
rustc=$1 readers='burn_pack burncam_imaging burncam_report burncam_weights burncam_fuzz ciborium csv_core
fdeflate hdf5_pure image image_webp npyz pest png safetensors serde_json tiff weezl zip zune_jpeg
burnpack classes config hdf5 journal labels npz onnx pickle report'
shift
name=
previous=
for argument; do
  [ "$previous" = --crate-name ] && name=$argument
  previous=$argument
done
for reader in $readers; do
  [ "$name" = "$reader" ] && exec "$rustc" "$@"
done
for argument; do
  shift
  case $argument in
  -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage-*) ;;
  *) set -- "$@" "$argument" ;;
  esac
done
exec "$rustc" "$@"
