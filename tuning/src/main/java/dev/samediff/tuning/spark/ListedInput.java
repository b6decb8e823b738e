package dev.samediff.tuning.spark;

import java.io.IOException;
import java.io.InputStream;
import java.io.InvalidClassException;
import java.io.ObjectInputStream;
import java.io.ObjectStreamClass;

/** Reads objects of {@link ListedClasses}; another class is refused before anything of it is made. */
final class ListedInput extends ObjectInputStream {
    private final ClassLoader loader;

    ListedInput(InputStream in, ClassLoader loader) throws IOException {
        super(in);
        this.loader = loader;
    }

    @Override
    protected Class<?> resolveClass(ObjectStreamClass type) throws IOException, ClassNotFoundException {
        if (!ListedClasses.contains(type.getName())) {
            throw refused(type.getName());
        }
        return Class.forName(type.getName(), false, loader);
    }

    @Override
    protected Class<?> resolveProxyClass(String[] interfaces) throws IOException {
        throw refused("a proxy of " + String.join(", ", interfaces));
    }

    private static InvalidClassException refused(String name) {
        return new InvalidClassException(name, "it is not among the classes that trials and shards consist of");
    }
}
