package dev.samediff.adapters.linalg;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import java.io.File;
import org.bytedeco.javacpp.Loader;

/** What the loaded OpenBLAS says of itself; the kernel name tells whether it knows this processor. */
public final class OpenBlas {
    private static final String[] LIBRARY_NAMES = {"libopenblas.so.0", "libopenblas.0.dylib", "libopenblas.dll"};

    private OpenBlas() {}

    /**
     * Returns the build description, such as {@code "OpenBLAS 0.3.30 DYNAMIC_ARCH NO_AFFINITY SAPPHIRERAPIDS"}.
     *
     * @throws IllegalStateException if the library cannot be loaded
     */
    public static String config() {
        return call("openblas_get_config");
    }

    /**
     * Returns the name of the kernels chosen for this processor, such as {@code "SAPPHIRERAPIDS"}.
     *
     * @throws IllegalStateException if the library cannot be loaded
     */
    public static String coreName() {
        return call("openblas_get_corename");
    }

    private static String call(String function) {
        File directory = new File(Loader.load(org.bytedeco.openblas.global.openblas.class)).getParentFile();
        for (String name : LIBRARY_NAMES) {
            File library = new File(directory, name);
            if (library.exists()) {
                Function f = NativeLibrary.getInstance(library.getPath()).getFunction(function);
                return f.invokeString(new Object[0], false);
            }
        }
        throw new IllegalStateException("no OpenBLAS library in " + directory + "; expected one of "
                + String.join(", ", LIBRARY_NAMES) + ". Check that org.bytedeco:openblas with the classifier of this"
                + " platform is on the class path.");
    }
}
