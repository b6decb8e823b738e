package dev.samediff.samples.cli;

import dev.samediff.samples.finetune.EngineCheck;
import dev.samediff.samples.machine.Diagnosis;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import picocli.CommandLine;

/** {@code doctor}: what this machine offers. */
@CommandLine.Command(
        name = "doctor",
        description = "Shows what this machine offers to training, and what could be better.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class DoctorCommand extends Command {
    @Override
    int run() {
        Diagnosis found = Diagnosis.make(EngineCheck.bundledModel());
        print(describe(found), found);
        return 0;
    }

    static String describe(Diagnosis found) {
        TextTable table = new TextTable("part", "found")
                .row("Java", found.java())
                .row("system", found.operatingSystem())
                .row("processor", found.processor().model())
                .row("cores", Integer.toString(found.processor().cores()))
                .row("extensions", String.join(" ", found.processor().extensions()))
                .row("memory", memory(found.memoryBytes()) + ", " + memory(found.availableBytes()) + " free")
                .row("Java heap", "up to " + Numbers.bytes(found.heapBytes()))
                .row("ND4J", found.nd4jVersion() + ", " + found.backend())
                .row("BLAS", found.blas())
                .row("BLAS kernel", found.blasKernel())
                .row("oneDNN", found.oneDnn() + (found.instructionSet().isEmpty() ? "" : ", " + found.instructionSet()))
                .row("bfloat16", found.bfloat16() ? "native" : "slower than float32 on this processor")
                .row("bundled model", found.bundledModel())
                .row("matrix products", Numbers.decimal(found.gigaflops(), 0) + " GF/s in float32")
                .row("CUDA", found.cuda());
        String advice = found.advice().isEmpty() ? "- nothing to improve" : "- " + String.join("\n- ", found.advice());
        return table.render() + "\n\nAdvice\n" + advice;
    }

    private static String memory(long bytes) {
        return bytes < 0 ? "unknown" : Numbers.bytes(bytes);
    }
}
