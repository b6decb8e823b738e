package dev.samediff.samples.machine;

import dev.samediff.adapters.backend.CudaGate;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.engine.kernel.OneDnn;
import dev.samediff.adapters.linalg.OpenBlas;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What this machine offers to training.
 *
 * @param java version and vendor
 * @param operatingSystem name, version and architecture
 * @param processor the processor
 * @param memoryBytes memory of the machine; -1 if the system does not tell
 * @param availableBytes memory a new process could take; -1 if the system does not tell
 * @param heapBytes most that the Java heap may take
 * @param backend ND4J's backend
 * @param nd4jVersion version of ND4J
 * @param blas the linear algebra library, as it describes itself
 * @param blasKernel the processor family for which it chose its kernels
 * @param oneDnn version of oneDNN, which the compiled engine computes with, or why it cannot be used
 * @param instructionSet the instructions that oneDNN makes its code of; empty without it
 * @param bfloat16 whether the processor multiplies bfloat16 natively
 * @param bundledModel by what a training step of the bundled model is executed, in a sentence
 * @param nd4jShare share of that step's time in ND4J's own operations, 0 to 1
 * @param gigaflops measured speed of float32 matrix products, 10^9 operations per second
 * @param cuda whether CUDA is usable, and why
 * @param advice what could be better, a sentence each
 */
public record Diagnosis(
        String java,
        String operatingSystem,
        Processor processor,
        long memoryBytes,
        long availableBytes,
        long heapBytes,
        String backend,
        String nd4jVersion,
        String blas,
        String blasKernel,
        String oneDnn,
        String instructionSet,
        boolean bfloat16,
        String bundledModel,
        double nd4jShare,
        double gigaflops,
        String cuda,
        List<String> advice) {

    /**
     * Looks at the machine and multiplies matrices for a second.
     *
     * @param bundledModel by what training steps of the bundled model were executed here
     */
    public static Diagnosis make(ExecutionReport bundledModel) {
        Nd4j.create(1);
        Processor processor = Processor.detect();
        String kernel = OpenBlas.coreName();
        long available = Memory.available().orElse(-1);
        double gigaflops = GemmProbe.gigaflops(Duration.ofSeconds(1));
        return new Diagnosis(
                System.getProperty("java.version") + ", " + System.getProperty("java.vendor"),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch"),
                processor,
                Memory.installed().orElse(-1),
                available,
                Runtime.getRuntime().maxMemory(),
                Nd4j.getBackend().getClass().getSimpleName(),
                readVersion(),
                OpenBlas.config(),
                kernel,
                OneDnn.isAvailable() ? OneDnn.version() : OneDnn.reason(),
                OneDnn.isAvailable() ? OneDnn.isa() : "",
                OneDnn.supportsBf16(),
                (bundledModel.notCompiled().isPresent() ? "" : "compiled; ") + bundledModel.sentence(),
                bundledModel.nd4jShare(),
                gigaflops,
                CudaGate.verdict().sentence(),
                Advice.of(processor, kernel, gigaflops, available));
    }

    private static String readVersion() {
        try (InputStream file = Nd4j.class.getResourceAsStream("/META-INF/maven/org.nd4j/nd4j-api/pom.properties")) {
            Properties properties = new Properties();
            if (file != null) {
                properties.load(file);
            }
            return properties.getProperty("version", "unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
