package dev.samediff.adapters.testing;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * The rule that no test compares arrays by {@code INDArray.equals}, which tolerates 1e-5: it compiles the sources in
 * memory and asks for the type of everything that is compared. {@link ComparisonScanner} says what counts.
 *
 * <p>Bytecode would not do: there {@code assertThat(array).isEqualTo(other)} is a call with two {@code Object}s.
 */
public final class LenientEquality {
    private LenientEquality() {}

    /**
     * Returns the comparisons in the test sources of a module, one line each; those that this build leaves out (they
     * have no class file on the class path) are left out here too.
     */
    public static List<String> in(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> compiled = files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> hasClass(folder.relativize(file)))
                    .toList();
            if (compiled.isEmpty()) {
                throw new IllegalArgumentException("no compiled test sources in " + folder.toAbsolutePath());
            }
            JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
            try (StandardJavaFileManager manager =
                    compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
                return in(compiler, manager, manager.getJavaFileObjectsFromPaths(compiled));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the sources in " + folder, e);
        }
    }

    private static boolean hasClass(Path source) {
        String name = source.toString().replace(source.getFileSystem().getSeparator(), "/");
        return LenientEquality.class.getResource("/" + name.replaceAll("java$", "class")) != null;
    }

    static List<String> in(
            JavaCompiler compiler, StandardJavaFileManager manager, Iterable<? extends JavaFileObject> sources)
            throws IOException {
        DiagnosticCollector<JavaFileObject> problems = new DiagnosticCollector<>();
        List<String> options = List.of("-proc:none", "-nowarn", "-classpath", System.getProperty("java.class.path"));
        JavacTask task = (JavacTask) compiler.getTask(null, manager, problems, options, null, sources);
        List<CompilationUnitTree> units = new ArrayList<>();
        task.parse().forEach(units::add);
        task.analyze();
        problems.getDiagnostics().stream()
                .filter(problem -> problem.getKind() == Diagnostic.Kind.ERROR)
                .findFirst()
                .ifPresent(error -> {
                    throw new IllegalStateException("test sources do not compile: " + error);
                });
        List<String> found = new ArrayList<>();
        Trees trees = Trees.instance(task);
        ArrayTypes arrays = new ArrayTypes(task.getTypes(), task.getElements());
        units.forEach(unit -> new ComparisonScanner(trees, arrays, unit, found).scan(unit, null));
        return found;
    }
}
