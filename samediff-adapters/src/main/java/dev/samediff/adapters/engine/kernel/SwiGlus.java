package dev.samediff.adapters.engine.kernel;

/** The gated unit of Llama: swish(a) b, in pieces, so that swish(a) does not go through memory. */
final class SwiGlus {
    private SwiGlus() {}

    /** Adds dst = swish(a) b. */
    static void forward(Assembly assembly, Tensor a, Tensor b, Tensor dst) {
        check("swiglu", dst, a, b);
        Tensors.written("swiglu", "dst", dst);
        Chunks.add(
                assembly,
                (steps, pieces) -> {
                    Tensor swish = steps.temporary(pieces[0].type(), pieces[0].shape());
                    Unaries.forward(steps, UnaryKind.SWISH, 1, 0, pieces[1], swish);
                    Binaries.add(steps, BinaryKind.MULTIPLY, swish, pieces[2], pieces[0]);
                },
                dst,
                a,
                b);
    }

    /** Adds da = dy b swish'(a) and db = dy swish(a). */
    static void backward(Assembly assembly, Tensor dy, Tensor a, Tensor b, Tensor da, Tensor db) {
        String title = "gradient of swiglu";
        check(title, dy, a, b, da, db);
        Tensors.written(title, "da", da);
        Tensors.written(title, "db", db);
        Chunks.add(
                assembly,
                (steps, pieces) -> {
                    Tensor work = steps.temporary(pieces[0].type(), pieces[0].shape());
                    Tensor swish = steps.temporary(pieces[0].type(), pieces[0].shape());
                    Binaries.add(steps, BinaryKind.MULTIPLY, pieces[0], pieces[2], work);
                    Unaries.forward(steps, UnaryKind.SWISH, 1, 0, pieces[1], swish);
                    Unaries.backward(steps, UnaryKind.SWISH, 1, 0, work, pieces[1], pieces[3]);
                    Binaries.add(steps, BinaryKind.MULTIPLY, swish, pieces[0], pieces[4]);
                },
                dy,
                a,
                b,
                da,
                db);
    }

    private static void check(String title, Tensor shape, Tensor... others) {
        Tensors.floats(title, shape);
        for (Tensor other : others) {
            Tensors.floats(title, other);
            Tensors.shape(title, "an operand", other, shape.shape());
        }
    }
}
