// A convolution as a product of matrices that reads its windows in place: output positions by filters. Each
// workgroup computes a tile of it, each thread the rows and columns of the tile that are its own, and a step
// takes DEPTH numbers of each window. The next step is on its way from memory while one is computed.
//
// Where a step lies within one place of the window it is read four channels at a time; where it does not,
// number by number (the functions are in another file).

var<workgroup> windows: array<vec4<f32>, {{window_room}}>;
var<workgroup> filters: array<vec4<f32>, {{filter_room}}>;

@compute @workgroup_size({{threads}})
fn main(
    @builtin(local_invocation_index) thread: u32,
    @builtin(workgroup_id) tile: vec3<u32>,
    @builtin(num_workgroups) tiles: vec3<u32>,
) {
    let positions = info[0];
    let first_row = (tile.z * tiles.y + tile.y) * {{rows}}u;
    let first_column = tile.x * {{columns4}}u;
    if first_row >= positions {
        return;
    }
    let own_column = thread % {{threads_across}}u;
    let own_row = thread / {{threads_across}}u;

{{places}}
{{accumulators}}
    var step = 0u;
    var place = vec3<u32>(0u, 0u, 0u);
{{fetch}}
{{store_first}}
    workgroupBarrier();
    loop {
        let more = step + 1u < {{steps}}u;
        if more {
            place = next(place);
{{fetch_next}}
        }
        let half = step & 1u;
        let from_window = half * {{window_half}}u + own_row * {{depth4}}u;
        let from_filter = half * {{filter_half}}u + own_column;
{{multiply}}
        if !more {
            break;
        }
        step += 1u;
        let other = step & 1u;
{{store_next}}
        workgroupBarrier();
    }
{{finish}}
}
