package dev.samediff.adapters.engine.kernel;

/** Rotary position embedding in the form of GPT-NeoX and Llama: element i of a head is paired with element i + d/2. */
final class Rotaries {
    private Rotaries() {}

    /**
     * Adds dst = x cos + rotate(x) sin with rotate(x) = (-second half, first half), or its transpose applied to x, which
     * is the way back.
     */
    static void add(Assembly assembly, boolean back, Tensor x, Tensor cos, Tensor sin, Tensor dst) {
        String title = back ? "gradient of rotary embedding" : "rotary embedding";
        Tensors.floats(title, x, cos, sin, dst);
        Tensors.shape(title, "x", x, dst.shape());
        Tensors.written(title, "dst", dst);
        int last = dst.rank() - 1;
        if (last < 0 || dst.layout().size(last) % 2 != 0) {
            throw new IllegalArgumentException(title + ": the last axis of `x` " + x + " must be even");
        }
        Layout[] layouts = {
            dst.layout(),
            x.layout(),
            Binaries.expanded(title, "cos", cos, dst),
            Binaries.expanded(title, "sin", sin, dst)
        };
        assembly.add(new Rotation(back, layouts, new Place[] {dst.place(), x.place(), cos.place(), sin.place()}));
    }

    private static final class Rotation extends JavaKernel {
        private final boolean back;
        private final Layout[] layouts;
        private final Place[] places;
        private final long[] at;
        private final int last;

        Rotation(boolean back, Layout[] layouts, Place[] places) {
            super("java", places);
            this.back = back;
            this.layouts = layouts;
            this.places = places;
            this.at = new long[places.length];
            this.last = layouts[0].rank() - 1;
        }

        @Override
        void compute() {
            for (int i = 0; i < at.length; i++) {
                at[i] = places[i].address();
            }
            walk(0);
        }

        /** Goes through all rows; {@code at} holds the addresses of the present one. */
        private void walk(int axis) {
            if (axis == last) {
                rotate(at[0], at[1], at[2], at[3]);
                return;
            }
            long size = layouts[0].size(axis);
            for (long n = 0; n < size; n++) {
                walk(axis + 1);
                for (int i = 0; i < at.length; i++) {
                    at[i] += 4 * layouts[i].stride(axis);
                }
            }
            for (int i = 0; i < at.length; i++) {
                at[i] -= 4 * size * layouts[i].stride(axis);
            }
        }

        private void rotate(long dst, long x, long cos, long sin) {
            long half = layouts[0].size(last) / 2;
            long toStep = 4 * layouts[0].stride(last);
            long fromStep = 4 * layouts[1].stride(last);
            long cosStep = 4 * layouts[2].stride(last);
            long sinStep = 4 * layouts[3].stride(last);
            for (long i = 0; i < half; i++) {
                long j = i + half;
                float a = Memory.getFloat(x + i * fromStep);
                float b = Memory.getFloat(x + j * fromStep);
                float sinA = Memory.getFloat(sin + i * sinStep);
                float sinB = Memory.getFloat(sin + j * sinStep);
                float cosA = Memory.getFloat(cos + i * cosStep);
                float cosB = Memory.getFloat(cos + j * cosStep);
                Memory.putFloat(dst + i * toStep, back ? a * cosA + b * sinB : a * cosA - b * sinA);
                Memory.putFloat(dst + j * toStep, back ? b * cosB - a * sinA : b * cosB + a * sinB);
            }
        }
    }
}
