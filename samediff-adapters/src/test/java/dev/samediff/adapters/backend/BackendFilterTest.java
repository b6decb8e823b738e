package dev.samediff.adapters.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackendFilterTest {
    private static final String DECLARATIONS = "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend";

    @TempDir
    Path folder;

    @Test
    void one_backend_is_left_out_of_the_declarations_of_a_merged_jar() throws IOException {
        write(DECLARATIONS, "a.Cpu\n  b.Cuda # the other\n#b.Cuda\nb.CudaToo\n");
        write("META-INF/services/other", "b.Cuda");
        try (URLClassLoader jar = new URLClassLoader(new URL[] {folder.toUri().toURL()}, null)) {
            BackendFilter filter = new BackendFilter(jar, "b.Cuda");
            assertThat(text(filter, DECLARATIONS)).isEqualTo("a.Cpu\n#b.Cuda\nb.CudaToo");
            assertThat(text(filter, "META-INF/services/other")).isEqualTo("b.Cuda");
        }
    }

    private void write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static String text(ClassLoader loader, String name) throws IOException {
        URL only = Collections.list(loader.getResources(name)).get(0);
        try (var in = only.openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
