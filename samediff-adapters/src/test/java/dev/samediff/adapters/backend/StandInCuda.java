package dev.samediff.adapters.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Classes with the names of ND4J's CUDA backend and of the CUDA bindings, compiled into a folder, whose answers are set by
 * system properties: the gate and the choice meet machines that are not here. The backend counts devices, as the real one
 * does, and throws when it is used.
 */
final class StandInCuda {
    private static final String BACKEND = """
            package org.nd4j.linalg.jcublas;
            public class JCublasBackend extends org.nd4j.linalg.factory.Nd4jBackend {
                private static AssertionError used() { return new AssertionError("the CUDA backend was used"); }
                @Override public boolean isAvailable() {
                    try {
                        return canRun();
                    } catch (LinkageError e) {
                        throw new RuntimeException(e);
                    }
                }
                @Override public boolean canRun() {
                    int[] count = {0};
                    org.bytedeco.cuda.global.cudart.cudaGetDeviceCount(count);
                    return count[0] > 0;
                }
                @Override public boolean allowsOrder() { return false; }
                @Override public int getPriority() { return BACKEND_PRIORITY_GPU; }
                @Override public org.nd4j.common.io.Resource getConfigurationResource() { throw used(); }
                @Override public Class getNDArrayClass() { throw used(); }
                @Override public org.nd4j.linalg.factory.Environment getEnvironment() { throw used(); }
                @Override public String buildInfo() { throw used(); }
                @Override public void logBackendInit() { throw used(); }
            }
            """;

    private static final String RUNTIME = """
            package org.bytedeco.cuda.global;
            import org.bytedeco.javacpp.SizeTPointer;
            public class cudart {
                static { Missing.check("cudart"); }
                public static int cudaGetDeviceCount(int[] count) {
                    int status = Integer.getInteger("cuda.status", 0);
                    count[0] = status == 0 ? 1 : 0;
                    return status;
                }
                public static int cudaDeviceGetAttribute(int[] value, int attribute, int device) {
                    String[] capability = System.getProperty("cuda.capability").split("[.]");
                    value[0] = Integer.parseInt(capability[attribute - 75]);
                    return 0;
                }
                public static int cudaGetDeviceProperties(org.bytedeco.cuda.cudart.cudaDeviceProp p, int device) { return 0; }
                public static int cudaMemGetInfo(SizeTPointer free, SizeTPointer total) {
                    free.put(7_500_000_000L);
                    total.put(8_000_000_000L);
                    return 0;
                }
            }
            """;

    private static final String MISSING = """
            package org.bytedeco.cuda.global;
            class Missing {
                static void check(String binding) {
                    String library = System.getProperty("cuda.missing." + binding);
                    if (library != null) {
                        throw new UnsatisfiedLinkError("/cache/libjni" + binding + ".so: " + library
                                + ": cannot open shared object file: No such file or directory");
                    }
                }
            }
            """;

    private static final Map<String, String> SOURCES = Map.of(
            "org/nd4j/linalg/jcublas/JCublasBackend",
            BACKEND,
            "org/bytedeco/cuda/global/cudart",
            RUNTIME,
            "org/bytedeco/cuda/global/Missing",
            MISSING,
            "org/bytedeco/cuda/global/cublas",
            binding("cublas"),
            "org/bytedeco/cuda/global/cusolver",
            binding("cusolver"),
            "org/bytedeco/cuda/cudart/cudaDeviceProp",
            """
            package org.bytedeco.cuda.cudart;
            public class cudaDeviceProp {
                public org.bytedeco.javacpp.BytePointer name() { return new org.bytedeco.javacpp.BytePointer("Stand-in"); }
            }
            """);

    private StandInCuda() {}

    private static String binding(String name) {
        return "package org.bytedeco.cuda.global; public class " + name + " { static { Missing.check(\"" + name
                + "\"); } }";
    }

    /** Compiles the classes into a folder. */
    static void compileInto(Path folder) throws IOException {
        for (Map.Entry<String, String> source : SOURCES.entrySet()) {
            Path file = folder.resolve(source.getKey() + ".java");
            Files.createDirectories(file.getParent());
            Files.writeString(file, source.getValue());
        }
        Path declaration = folder.resolve("META-INF/services/org.nd4j.linalg.factory.Nd4jBackend");
        Files.createDirectories(declaration.getParent());
        Files.writeString(declaration, "org.nd4j.linalg.jcublas.JCublasBackend\n");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            List<String> options = List.of("-proc:none", "-nowarn", "-d", folder.toString());
            var sources = files.getJavaFileObjectsFromPaths(SOURCES.keySet().stream()
                    .map(name -> folder.resolve(name + ".java"))
                    .toList());
            assertThat(compiler.getTask(null, files, null, options, null, sources)
                            .call())
                    .isTrue();
        }
    }
}
