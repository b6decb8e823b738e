package dev.samediff.importer.tensor;

/** Ends of messages about files that nobody can import, with what to do. */
public final class NotValid {
    /** The graph breaks ONNX's rules. */
    public static final String ONNX =
            "; the graph is not valid ONNX: look at it with onnx.checker.check_model, and export it again";

    /** The file does not hold what it says. */
    public static final String DAMAGED = "; the file is damaged: copy it again, or export it again";

    private NotValid() {}
}
