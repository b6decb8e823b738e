package dev.samediff.adapters.backend;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.SizeTPointer;

/** Looks for CUDA by reflection on its bindings; no class of ND4J is initialised. */
final class CudaProbe {
    static final String BACKEND = "org.nd4j.linalg.jcublas.JCublasBackend";

    private static final String BINDINGS = "org.bytedeco.cuda.global.";
    private static final String RUNTIME = BINDINGS + "cudart";
    private static final String PROPERTIES = "org.bytedeco.cuda.cudart.cudaDeviceProp";
    /** What libnd4jcuda.so is linked to; their bindings load cublasLt and cusparse with them. */
    private static final String[] LIBRARIES = {BINDINGS + "cublas", BINDINGS + "cusolver"};

    private static final int CAPABILITY_MAJOR = 75;
    private static final int CAPABILITY_MINOR = 76;
    private static final Pattern LIBRARY = Pattern.compile("([^/\\s:]+): cannot open shared object file");

    private final ClassLoader loader;

    CudaProbe(ClassLoader loader) {
        this.loader = loader;
    }

    /** Returns whether ND4J's CUDA backend is part of this program. */
    static boolean isOnClassPath(ClassLoader loader) {
        try {
            Class.forName(BACKEND, false, loader);
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /** Returns what there is. */
    CudaFinding look() {
        if (!isOnClassPath(loader)) {
            return new CudaFinding.NotOnClassPath();
        }
        try {
            Class<?> runtime = Class.forName(RUNTIME, true, loader);
            int[] count = {0};
            int status =
                    (int) runtime.getMethod("cudaGetDeviceCount", int[].class).invoke(null, (Object) count);
            return status != 0 || count[0] <= 0 ? new CudaFinding.NoDevice(status) : device(runtime);
        } catch (ReflectiveOperationException | LinkageError e) {
            return failed(e);
        }
    }

    /** A class whose initialisation failed once does not tell the library's name again. */
    private static CudaFinding failed(Throwable failure) {
        return failure instanceof NoClassDefFoundError && failure.getCause() instanceof ExceptionInInitializerError
                ? new CudaFinding.FailedBefore()
                : missing(failure);
    }

    private CudaFinding device(Class<?> runtime) throws ReflectiveOperationException {
        ComputeCapability capability =
                new ComputeCapability(attribute(runtime, CAPABILITY_MAJOR), attribute(runtime, CAPABILITY_MINOR));
        if (!capability.isSupported()) { // libraries do not matter then
            return new CudaFinding.Device(name(runtime), capability, 0, 0, Optional.empty());
        }
        for (String library : LIBRARIES) {
            try {
                Class.forName(library, true, loader);
            } catch (ClassNotFoundException | LinkageError e) {
                return new CudaFinding.Device(name(runtime), capability, 0, 0, Optional.of(missing(e)));
            }
        }
        try (SizeTPointer free = new SizeTPointer(1);
                SizeTPointer total = new SizeTPointer(1)) {
            runtime.getMethod("cudaMemGetInfo", SizeTPointer.class, SizeTPointer.class)
                    .invoke(null, free, total);
            return new CudaFinding.Device(name(runtime), capability, free.get(), total.get(), Optional.empty());
        }
    }

    private static int attribute(Class<?> runtime, int attribute) throws ReflectiveOperationException {
        int[] value = {0};
        runtime.getMethod("cudaDeviceGetAttribute", int[].class, int.class, int.class)
                .invoke(null, value, attribute, 0);
        return value[0];
    }

    private String name(Class<?> runtime) throws ReflectiveOperationException {
        Class<?> type = Class.forName(PROPERTIES, true, loader);
        Object properties = type.getDeclaredConstructor().newInstance();
        runtime.getMethod("cudaGetDeviceProperties", type, int.class).invoke(null, properties, 0);
        return ((BytePointer) type.getMethod("name").invoke(properties)).getString();
    }

    /** The library a failure is about. */
    private static CudaFinding.MissingLibrary missing(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        Matcher named = LIBRARY.matcher(String.valueOf(cause.getMessage()));
        return new CudaFinding.MissingLibrary(named.find() ? named.group(1) : "a CUDA library (" + cause + ")");
    }
}
