package dev.samediff.samples.bench.step;

import dev.samediff.samples.bench.FreshProcess;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds the peers on this machine; their programs are in {@code samples/src/main/peers}. */
public final class Peers {
    /** PyTorch, with factored adapters. */
    public static final String PYTORCH = "pytorch";
    /** PyTorch, with the SORSA authors' dense layer. */
    public static final String DENSE = "sorsa-dense";
    /** The official libtorch, through Deep Java Library. */
    public static final String LIBTORCH = "libtorch";
    /** All of them. */
    public static final List<String> ALL = List.of(PYTORCH, LIBTORCH, DENSE);

    private static final String PYTHON = "SAMEDIFF_PYTHON";

    /** Says why PyTorch is missing. */
    public static final String NO_PYTORCH = "PyTorch is not measured: no python3 here can import torch; install it"
            + " (Debian: python3-torch), or name another interpreter in " + PYTHON;

    private static final String DJL_MAIN = "dev.samediff.peers.StepMain";

    private final List<Contender> found = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Path samples;

    private Peers(Path samples) {
        this.samples = samples;
    }

    /** Looks for these peers; of those that cannot be used, a note says why. */
    public static Peers find(List<String> names) throws IOException, InterruptedException {
        Peers peers = new Peers(samples());
        if (names.contains(PYTORCH) || names.contains(DENSE)) {
            peers.findPyTorch(names);
        }
        if (names.contains(LIBTORCH)) {
            peers.findLibtorch();
        }
        return peers;
    }

    List<Contender> found() {
        return found;
    }

    List<String> notes() {
        return notes;
    }

    private void findPyTorch(List<String> names) throws IOException, InterruptedException {
        Optional<String> python = python("torch");
        if (python.isEmpty()) {
            notes.add(
                    "PyTorch is not measured: no python3 here can import torch; install it (Debian: python3-torch), or"
                            + " name another interpreter in " + PYTHON);
            return;
        }
        BlasKernel kernel = BlasKernel.fastest(List.of(python.get(), script("gemm.py")));
        notes.add(kernel.describe("PyTorch"));
        List<String> command = List.of(python.get(), script("step.py"));
        for (String name : List.of(PYTORCH, DENSE)) {
            if (names.contains(name)) {
                found.add(new Contender(
                        name, command, kernel.settings(), List.of(Precision.values()), name.equals(DENSE)));
            }
        }
    }

    private void findLibtorch() throws InterruptedException {
        try {
            String classPath = buildDjl();
            Path cache = samples.resolve("target/peers/djl-cache");
            List<String> command = new ArrayList<>(FreshProcess.java(classPath, DJL_MAIN));
            found.add(new Contender(
                    LIBTORCH,
                    command,
                    Map.of("DJL_CACHE_DIR", cache.toString(), "DJL_OFFLINE", "true", "OPT_OUT_TRACKING", "true"),
                    List.of(Precision.F32),
                    false));
        } catch (IOException e) {
            notes.add("libtorch is not measured: Maven could not fetch or build samples/src/main/peers/djl ("
                    + e.getMessage() + ")");
        }
    }

    /** Compiles the DJL program, fetching DJL and libtorch from Maven Central the first time; returns its class path. */
    private String buildDjl() throws IOException, InterruptedException {
        Path target = samples.resolve("target/peers/djl");
        Path classPath = target.resolve("classpath.txt");
        Path log = Files.createDirectories(target).resolve("build.log");
        Process maven = new ProcessBuilder(
                        "mvn",
                        "-B",
                        "-q",
                        "-f",
                        samples.resolve("src/main/peers/djl/pom.xml").toString(),
                        "-Dbuild=" + target,
                        "-Dmdep.outputFile=" + classPath,
                        "compile",
                        "dependency:build-classpath")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (maven.waitFor() != 0) {
            throw new IOException("its log is " + log);
        }
        return target.resolve("classes")
                + File.pathSeparator
                + Files.readString(classPath).strip();
    }

    /** Returns the path of a peer's Python program. */
    public static String script(String name) {
        return samples().resolve("src/main/peers/pytorch").resolve(name).toString();
    }

    /** Returns the first Python that has a module. */
    public static Optional<String> python(String module) throws InterruptedException {
        List<String> candidates = Stream.of(System.getenv(PYTHON), "python3", "/usr/bin/python3")
                .filter(Objects::nonNull)
                .toList();
        for (String candidate : candidates) {
            try {
                Process process = new ProcessBuilder(candidate, "-c", "import " + module)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                if (process.waitFor() == 0) {
                    return Optional.of(candidate);
                }
            } catch (IOException e) {
                continue; // no such program
            }
        }
        return Optional.empty();
    }

    /** Returns the folder of the samples: these classes are in its {@code target}. */
    public static Path samples() {
        try {
            Path classes = Path.of(Peers.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            return classes.resolve("../..").normalize();
        } catch (URISyntaxException e) {
            throw new IllegalStateException("these classes are at no path", e);
        }
    }
}
