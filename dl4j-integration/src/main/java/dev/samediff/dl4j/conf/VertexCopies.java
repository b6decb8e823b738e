package dev.samediff.dl4j.conf;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import org.deeplearning4j.nn.conf.graph.GraphVertex;

/**
 * Copies of vertices, as serialisation makes them. The {@code clone} of DL4J's SameDiff vertices is not one: that of {@code
 * AttentionVertex} loses updater, regularisation and gradient normalisation, that of {@code SameDiffLambdaVertex} keeps the
 * variables of the first graph it ran in.
 */
public final class VertexCopies {
    private VertexCopies() {}

    /** Returns a copy of a vertex with all of its settings and none of its state. */
    public static GraphVertex of(GraphVertex vertex) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(vertex);
        } catch (IOException e) {
            throw new IllegalStateException(
                    "the vertex " + vertex.getClass().getName() + " cannot be copied; all that it refers to has to be"
                            + " Serializable, as DL4J's configurations are",
                    e);
        }
        ClassLoader loader = vertex.getClass().getClassLoader();
        try (ObjectInputStream in = new LoadedBy(loader, new ByteArrayInputStream(bytes.toByteArray()))) {
            return (GraphVertex) in.readObject();
        } catch (IOException | ClassNotFoundException e) {
            throw new IllegalStateException("the vertex " + vertex.getClass().getName() + " cannot be copied", e);
        }
    }

    /** Finds classes where the vertex' own class comes from. */
    private static final class LoadedBy extends ObjectInputStream {
        private final ClassLoader loader;

        LoadedBy(ClassLoader loader, InputStream in) throws IOException {
            super(in);
            this.loader = loader;
        }

        @Override
        protected Class<?> resolveClass(ObjectStreamClass type) throws IOException, ClassNotFoundException {
            try {
                return Class.forName(type.getName(), false, loader);
            } catch (ClassNotFoundException e) {
                return super.resolveClass(type);
            }
        }
    }
}
