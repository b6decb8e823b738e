package dev.samediff.adapters.engine.kernel;

import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;

/** Rows of a table by number, and the way back. */
final class Rows {
    private Rows() {}

    /** Adds dst[i] = table[ids[i]]. */
    static void gather(Assembly assembly, TensorView table, TensorView ids, TensorView dst) {
        String title = "gather rows";
        if (!table.type().isIntType() || table.type() != dst.type()) {
            Tensors.type(title, "table", table, DataType.FLOAT, DataType.BFLOAT16);
            Tensors.type(title, "dst", dst, DataType.FLOAT, DataType.BFLOAT16);
        }
        matrix(title, "table", table);
        Tensors.shape(
                title,
                "dst",
                dst,
                dst.layout().length() / table.layout().size(1),
                table.layout().size(1));
        Tensors.written(title, "dst", dst);
        boolean direct = table.type() == dst.type() && dst.layout().stride(1) == 1;
        TensorView work = direct ? dst : assembly.temporary(table.type(), dst.shape());
        long count = dst.layout().size(0);
        Ids rows = new Ids(title, "token id", ids, count, table.layout().size(0));
        int bytes = Tensors.bytes(table.type());
        long length = table.layout().size(1) * bytes;
        long step = table.layout().stride(0) * bytes;
        long workStep = work.layout().stride(0) * bytes;
        Address from = new Address();
        Address to = new Address();
        assembly.add(new JavaKernel("memcpy", table.place(), rows.place(), work.place()) {
            @Override
            void compute() {
                long source = table.place().address();
                long target = work.place().address();
                for (long i = 0; i < count; i++) {
                    Pointer.memcpy(to.at(target + i * workStep), from.at(source + rows.fromEnd(i) * step), length);
                }
            }
        });
        if (work != dst) {
            Copies.add(assembly, work, dst);
        }
    }

    /** Adds cache[b h, positions[b]] = rows[b h]. */
    static void write(Assembly assembly, TensorView rows, TensorView positions, TensorView cache) {
        String title = "write rows";
        Tensors.floats(title, rows, cache);
        long count = cache.layout().size(0);
        long length = cache.layout().size(1);
        long width = cache.layout().size(2);
        Tensors.length(title, "rows", rows, count * width);
        Tensors.length(title, "cache", cache, count * length * width);
        long perText = count / positions.layout().length();
        Ids places = new Ids(title, "position", positions, count / perText, length);
        long bytes = 4 * width;
        Address from = new Address();
        Address to = new Address();
        assembly.add(new JavaKernel("memcpy", rows.place(), places.place(), cache.place()) {
            @Override
            void compute() {
                long source = rows.place().address();
                long target = cache.place().address();
                for (long i = 0; i < count; i++) {
                    long place = i * length + places.at(i / perText);
                    Pointer.memcpy(to.at(target + place * bytes), from.at(source + i * bytes), bytes);
                }
            }
        });
    }

    /** Adds dTable = 0, then dTable[ids[i]] += dy[i]. */
    static void scatterAdd(Assembly assembly, TensorView dy, TensorView ids, TensorView dTable) {
        String title = "scatter-add rows";
        Tensors.floats(title, dy, dTable);
        matrix(title, "dTable", dTable);
        Tensors.written(title, "dTable", dTable);
        long width = dTable.layout().size(1);
        Tensors.shape(title, "dy", dy, dy.layout().length() / width, width);
        Copies.fill(assembly, 0, dTable);
        TensorView upstream = dy.layout().stride(1) == 1 ? dy : Copies.copied(assembly, dy);
        long count = dy.layout().size(0);
        Ids rows = new Ids(title, "token id", ids, count, dTable.layout().size(0));
        long step = 4 * upstream.layout().stride(0);
        long tableStep = 4 * dTable.layout().stride(0);
        assembly.add(new JavaKernel("java", upstream.place(), rows.place(), dTable.place()) {
            @Override
            void compute() {
                for (long i = 0; i < count; i++) {
                    long from = upstream.place().address() + i * step;
                    long to = dTable.place().address() + rows.fromEnd(i) * tableStep;
                    for (long j = 0; j < 4 * width; j += 4) {
                        Memory.putFloat(to + j, Memory.getFloat(to + j) + Memory.getFloat(from + j));
                    }
                }
            }
        });
    }

    private static void matrix(String title, String name, TensorView table) {
        if (table.rank() != 2
                || (table.layout().stride(1) != 1 && table.layout().size(1) > 1)) {
            throw new IllegalArgumentException(title + ": `" + name + "` is " + table + " with " + table.layout()
                    + ", expected [rows, width] with the elements of a row side by side");
        }
    }
}
