package dev.samediff.dl4j.contract;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaVertex;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;

/** All configurations of layers and vertices in DL4J's jar: those that can be made, and those that users extend. */
final class Dl4jClasses {
    private static final String PACKAGE = "org/deeplearning4j/nn/conf/";
    private static final Set<Class<?>> EXTENDED = Set.of(
            SameDiffLayer.class,
            SameDiffLambdaLayer.class,
            SameDiffOutputLayer.class,
            SameDiffVertex.class,
            SameDiffLambdaVertex.class);

    private Dl4jClasses() {}

    static Set<String> layers() {
        return names(Layer.class);
    }

    static Set<String> vertices() {
        return names(GraphVertex.class);
    }

    private static Set<String> names(Class<?> base) {
        try (JarFile jar = new JarFile(
                Path.of(base.getProtectionDomain().getCodeSource().getLocation().toURI())
                        .toFile())) {
            return jar.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.startsWith(PACKAGE) && name.endsWith(".class") && !name.contains("$"))
                    .map(name -> load(
                            name.substring(0, name.length() - ".class".length()).replace('/', '.')))
                    .filter(base::isAssignableFrom)
                    .filter(type -> !Modifier.isAbstract(type.getModifiers()) || EXTENDED.contains(type))
                    .map(Class::getName)
                    .collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, Layer.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
