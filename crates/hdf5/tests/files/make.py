"""Writes the files here: python make.py, with h5py and numpy."""

import h5py
import numpy as np

GRID = np.arange(150, dtype="<f4").reshape(10, 15)
ROW = np.arange(100, dtype="<f4")


def arrays(f):
    f["plain"] = np.array([[0.0, -1.5, 3e38], [1.0, 2.0, 7.0]], "<f4")
    f["double"] = np.arange(5, dtype="<f8")
    f["half"] = np.array([1, -1], "<f2")
    f["big"] = np.array([1, -2, 3], ">f4")
    f["int"] = np.array([-1, 2], ">i2")
    f["bytes"] = np.array([1, 255], "u1")
    f["scalar"] = np.float32(4.5)
    f.create_dataset("null", data=h5py.Empty("<f4"))
    f.create_dataset("none", shape=(0, 3), dtype="<f4")
    f.create_dataset("unwritten", shape=(3, 2), dtype="<f4", fillvalue=1.5)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((4,))
    h5py.h5d.create(f.id, b"compact", h5py.h5t.IEEE_F32LE, space, plist).write(
        h5py.h5s.ALL, h5py.h5s.ALL, np.arange(4, dtype="<f4"))
    f["type"] = np.dtype("<f4")
    f.create_dataset("committed", data=ROW[:3], dtype=f["type"])
    f["texts"] = np.array([b"ab", b"c"])


def packed(f):
    f.create_dataset("gzip", data=GRID, chunks=(4, 4), compression="gzip")
    f.create_dataset("all", data=GRID, chunks=(4, 4), compression="gzip", shuffle=True, fletcher32=True)


def chunks(f):
    packed(f)
    f.create_dataset("chunks", data=GRID, chunks=(4, 4))
    f.create_dataset("sum", data=GRID, chunks=(4, 4), fletcher32=True)
    f.create_dataset("one", data=GRID, chunks=GRID.shape)
    f.create_dataset("one_gzip", data=GRID, chunks=GRID.shape, compression="gzip", shuffle=True)
    f.create_dataset("deep", data=GRID.reshape(1, 2, 5, 3, 5), chunks=(1, 2, 3, 2, 2))
    f.create_dataset("many", data=np.tile(ROW, 2)[:130], chunks=(1,))
    f.create_dataset("larger", data=GRID, chunks=(4, 4), maxshape=(25, 45), shuffle=True)
    d = f.create_dataset("holes", shape=(10, 15), dtype="<f4", chunks=(4, 4), fillvalue=-1.0)
    d[4:8, 8:12] = GRID[4:8, 8:12]
    d = f.create_dataset("pages", shape=(1100,), dtype="<f4", chunks=(1,))
    d[1099] = 8.0
    d[5] = 6.0
    f.create_dataset("lzf", data=GRID, chunks=(4, 4), compression="lzf")
    f.create_dataset("grows", data=GRID, chunks=(4, 4), maxshape=(None, 15), compression="gzip")
    f.create_dataset("grows_twice", data=GRID, chunks=(4, 4), maxshape=(None, None))
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((4, 4))
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple(GRID.shape)
    h5py.h5d.create(f.id, b"implicit", h5py.h5t.IEEE_F32LE, space, plist).write(
        h5py.h5s.ALL, h5py.h5s.ALL, GRID)


def groups(f):
    few = f.create_group("few")
    for i in range(3):
        few.create_group(f"g{i}")
    few["soft"] = h5py.SoftLink("/few/g1")
    few["external"] = h5py.ExternalLink("other.h5", "/")
    few["dangling"] = h5py.SoftLink("/nowhere")
    many = f.create_group("many")
    for i in range(300):
        many[f"member {i:04}"] = few
    many["data"] = ROW
    for count in (3, 20):
        ordered = f.create_group(f"ordered{count}", track_order=True)
        for i in range(count):
            ordered[f"o{count - i:02}"] = few
    f["a/b/c/d"] = ROW
    f["f\u00fcr"] = ROW


def attributes(f):
    f.attrs["variable"] = "gr\u00fc\u00df"
    f.attrs["list"] = np.array(["one", "", "three"], dtype=object)
    f.attrs["fixed"] = np.array([b"a", b"bc", b""])
    f.attrs["bytes"] = np.bytes_(b"xyz")
    f.attrs["number"] = 7
    f.attrs["numbers"] = np.zeros(0)
    f.attrs["empty"] = h5py.Empty("S1")
    f.attrs["square"] = np.array([[b"a", b"b"]])
    for name, padding, text in [
        ("ended", h5py.h5t.STR_NULLTERM, b"ab c"),
        ("spaces", h5py.h5t.STR_SPACEPAD, b"ab c  "),
    ]:
        kind = h5py.h5t.TypeID.copy(h5py.h5t.C_S1)
        kind.set_size(6)
        kind.set_strpad(padding)
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        h5py.h5a.create(f.id, name.encode(), kind, space).write(np.array(text, "S6"), mtype=kind)
    few = f.create_group("few")
    few.attrs["weight_names"] = np.array([b"kernel:0", b"bias:0"])
    ordered = f.create_group("ordered", track_order=True)
    for i in range(12):
        ordered.attrs.create(f"t{i}", f"value {i}", dtype=h5py.string_dtype())
    f["type"] = np.dtype("S4")
    f.attrs.create("committed", np.array([b"abcd", b"ef"]), dtype=f["type"])


def huge(f):
    f.attrs["huge"] = np.array([b"h" * 700] * 100)
    f.attrs["small"] = "s"


def long(f):
    f.attrs["long"] = "abcdefghij" * 2500
    f.attrs["wide"] = np.array([b"w" * 3000] * 10)


def write(name, contents, **options):
    with h5py.File(f"{name}.h5", "w", **options) as f:
        contents(f)


for libver in ("earliest", "latest"):
    for contents in (arrays, chunks, groups, attributes):
        write(f"{contents.__name__}_{libver}", contents, libver=libver)
write("chunks_v110", packed, libver=("v110", "v110"))
write("long_earliest", long, libver="earliest")
write("huge_latest", huge, libver="latest")
write("block", arrays, libver="earliest", userblock_size=1024)
write("block_latest", arrays, libver="latest", userblock_size=512)
plist = h5py.h5p.create(h5py.h5p.FILE_CREATE)
plist.set_sizes(4, 4)
for name, libver in [("sizes", h5py.h5f.LIBVER_EARLIEST), ("sizes_latest", h5py.h5f.LIBVER_LATEST)]:
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(libver, h5py.h5f.LIBVER_LATEST)
    with h5py.File(h5py.h5f.create(f"{name}.h5".encode(), h5py.h5f.ACC_TRUNC, plist, access)) as f:
        for i in range(40):
            f[f"g{i:02}"] = f["/"]
        f["plain"] = ROW
        f.create_dataset("all", data=GRID, chunks=(4, 4), compression="gzip", shuffle=True, fletcher32=True)
        f.attrs["list"] = np.array(["one", "", "three"], dtype=object)
