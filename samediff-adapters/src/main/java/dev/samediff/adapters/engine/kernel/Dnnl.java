package dev.samediff.adapters.engine.kernel;

import java.io.File;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Loader;
import org.nd4j.linalg.api.buffer.DataType;

/** The one engine and stream of oneDNN, and its words for types and layouts. */
final class Dnnl {
    static final engine ENGINE = new engine(engine.kind.cpu, 0);
    static final stream STREAM = new stream(ENGINE); // of the CPU with OpenMP: execute() returns when the work is done

    private Dnnl() {}

    static String isa() {
        return dnnl.get_effective_cpu_isa().intern().name();
    }

    static String version() {
        dnnl_version_t version = dnnl.dnnl_version();
        return version.major() + "." + version.minor() + "." + version.patch();
    }

    static File directory() {
        return new File(Loader.load(dnnl.class)).getParentFile();
    }

    static memory.data_type type(DataType type) {
        return switch (type) {
            case FLOAT -> memory.data_type.f32;
            case BFLOAT16 -> memory.data_type.bf16;
            case INT -> memory.data_type.s32;
            case BOOL -> memory.data_type.u8;
            default -> throw new IllegalArgumentException("oneDNN has no type for " + type);
        };
    }

    static memory.desc desc(TensorView tensor) {
        return desc(tensor.type(), tensor.layout());
    }

    static memory.desc desc(DataType type, Layout layout) {
        return new memory.desc(layout.shape(), type(type), layout.strides());
    }

    /** Returns attributes with post-ops and working memory that the caller gives. */
    static primitive_attr attributes(post_ops ops) {
        primitive_attr attributes = new primitive_attr();
        attributes.set_post_ops(ops);
        attributes.set_scratchpad_mode(dnnl.scratchpad_mode.user);
        return attributes;
    }

    static primitive_attr attributes() {
        return attributes(new post_ops());
    }
}
