//! Networks that are run as their files describe them, against Keras.

use burn::tensor::Device;
use burncam_attribution::{Target, max_relative_error};
use libtest_mimic::Failed;
use parity::{described, observe};

use crate::SINGLE;

/// Logits and raw map of each network.
pub(crate) fn check(device: &Device) -> Result<(), Failed> {
    let (_place, all) = described();
    let mut worst = [0.0_f32; 2];
    for network in &all {
        let resolved = network.open(&network.path);
        let classifier = resolved.build(device)?;
        let images = network.images(&resolved.input, device);
        let found = observe(&classifier, images, &network.layer, Target::Predicted)?;
        let logits = max_relative_error(&found.logits[0], &network.logits);
        let map = max_relative_error(&found.maps[0], &network.map);
        if logits > SINGLE.logits || map > SINGLE.map {
            let name = &network.name;
            return Err(format!("{name}: logits {logits:e}, maps {map:e} apart").into());
        }
        worst = [worst[0].max(logits), worst[1].max(map)];
    }
    println!("described networks: logits within {:.1e}, maps within {:.1e}", worst[0], worst[1]);
    Ok(())
}
