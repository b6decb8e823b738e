package dev.samediff.tuning.spark;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.spark.serializer.DeserializationStream;
import org.apache.spark.serializer.SerializationStream;
import org.apache.spark.serializer.Serializer;
import org.apache.spark.serializer.SerializerInstance;
import scala.reflect.ClassTag;

/**
 * Spark's serializer of data, by Java's serialisation, which reads the classes of {@link ListedClasses} only. Spark makes it by
 * its name ({@code spark.serializer}). Kryo's own list of classes is no way: Spark's Kryo cannot make records.
 */
public final class ListedSerializer extends Serializer implements Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public SerializerInstance newInstance() {
        return new Instance();
    }

    private static ClassLoader loader() {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        return context == null ? ListedSerializer.class.getClassLoader() : context;
    }

    private static final class Instance extends SerializerInstance {
        @Override
        public <T> ByteBuffer serialize(T value, ClassTag<T> tag) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (SerializationStream out = serializeStream(bytes)) {
                out.writeObject(value, tag);
            }
            return ByteBuffer.wrap(bytes.toByteArray());
        }

        @Override
        public <T> T deserialize(ByteBuffer bytes, ClassTag<T> tag) {
            return deserialize(bytes, loader(), tag);
        }

        @Override
        public <T> T deserialize(ByteBuffer bytes, ClassLoader loader, ClassTag<T> tag) {
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            try (Input in = new Input(new ByteArrayInputStream(copy), loader)) {
                return in.readObject(tag);
            }
        }

        @Override
        public SerializationStream serializeStream(OutputStream out) {
            return new Output(out);
        }

        @Override
        public DeserializationStream deserializeStream(InputStream in) {
            return new Input(in, loader());
        }
    }

    private static final class Output extends SerializationStream {
        private final ObjectOutputStream out;

        Output(OutputStream bytes) {
            try {
                out = new ObjectOutputStream(bytes);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public <T> SerializationStream writeObject(T value, ClassTag<T> tag) {
            try {
                out.writeObject(value);
                out.reset(); // what was written need not be kept
                return this;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void flush() {
            try {
                out.flush();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            try {
                out.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static final class Input extends DeserializationStream {
        private final ListedInput in;

        Input(InputStream bytes, ClassLoader loader) {
            try {
                in = new ListedInput(bytes, loader);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        @SuppressWarnings("unchecked") // Spark knows what it asks for
        public <T> T readObject(ClassTag<T> tag) {
            try {
                return (T) in.readObject();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException("a class of the data is not on this process's class path", e);
            }
        }

        @Override
        public void close() {
            try {
                in.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
