package dev.samediff.adapters;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.samediff.adapters.memory.NativeBlock;

/** The "only here" rules of docs/architecture.md. */
@AnalyzeClasses(packages = "dev.samediff.adapters", importOptions = ImportOption.DoNotIncludeTests.class)
class PackageBoundariesTest {
    private static final String ROOT = "dev.samediff.adapters";

    @ArchTest
    static final ArchRule openblas_is_called_in_linalg_only = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".linalg..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.bytedeco.openblas..");

    @ArchTest
    static final ArchRule onednn_is_called_in_kernels_only = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".engine.kernel..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.bytedeco.dnnl..");

    @ArchTest
    static final ArchRule programs_and_plans_know_no_kernels = noClasses()
            .that()
            .resideInAnyPackage(
                    ROOT + ".engine",
                    ROOT + ".engine.program..",
                    ROOT + ".engine.fusion..",
                    ROOT + ".engine.gradient..",
                    ROOT + ".engine.lowering..",
                    ROOT + ".engine.decoding..",
                    ROOT + ".engine.nd4j..",
                    ROOT + ".engine.plan..",
                    ROOT + ".engine.reference..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ROOT + ".engine.kernel..");

    @ArchTest
    static final ArchRule compiled_engines_choose_their_target_in_one_place = noClasses()
            .that()
            .resideInAPackage(ROOT + ".engine.compiled..")
            .and()
            .doNotHaveSimpleName("Targets")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ROOT + ".engine.kernel..");

    /**
     * Pointers are for those who own memory or call native code: memory, the host's kernels, BLAS and LAPACK, the probe of CUDA. The
     * others go over whole arrays: files, the last logits, where an array lies and its bits.
     */
    @ArchTest
    static final ArchRule pointers_are_used_by_few = noClasses()
            .that()
            .resideOutsideOfPackages(
                    ROOT + ".memory..", ROOT + ".engine.kernel..", ROOT + ".linalg..", ROOT + ".backend..")
            .and()
            .doNotHaveFullyQualifiedName(ROOT + ".io.Safetensors")
            .and()
            .doNotHaveFullyQualifiedName(ROOT + ".text.generation.LastLogits")
            .and()
            .resideOutsideOfPackage(ROOT + ".engine.nd4j..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.bytedeco.javacpp..");

    /** The optimiser on the host gives the addresses of parameters to a kernel that updates them where they lie. */
    @ArchTest
    static final ArchRule addresses_are_for_memory_nd4j_arrays_and_the_host_target = noClasses()
            .that()
            .resideOutsideOfPackages(ROOT + ".memory..", ROOT + ".engine.kernel..", ROOT + ".engine.nd4j..")
            .and()
            .doNotHaveFullyQualifiedName(ROOT + ".train.optimizer.HostAdamW")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName(ROOT + ".memory.HostMemory")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName(ROOT + ".engine.nd4j.Addresses")
            .orShould()
            .callMethod(NativeBlock.class, "address");

    @ArchTest
    static final ArchRule no_backend_is_compiled_against = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.nd4j.linalg.cpu..", "org.nd4j.linalg.jcublas..", "org.bytedeco.cuda..");

    @ArchTest
    static final ArchRule the_gate_is_asked_before_nd4j = noClasses()
            .that()
            .haveNameMatching(".*\\.backend\\.(Cuda.*|ComputeCapability)")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.nd4j..");

    @ArchTest
    static final ArchRule graphs_are_edited_in_graph_only = noClasses()
            .that()
            .resideOutsideOfPackages(
                    ROOT + ".graph..", ROOT + ".engine..") // the engine runs ops, it does not edit them
            .should()
            .dependOnClassesThat()
            .haveNameMatching("org\\.nd4j\\.autodiff\\.samediff\\.internal\\.(SameDiffOp|Variable)");

    @ArchTest
    static final ArchRule methods_know_the_spi_and_linalg_only = noClasses()
            .that()
            .resideInAPackage(ROOT + ".method..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    ROOT + ".inject..",
                    ROOT + ".graph..",
                    ROOT + ".engine..",
                    ROOT + ".train..",
                    ROOT + ".io..",
                    ROOT + ".text..");

    @ArchTest
    static final ArchRule the_lower_packages_do_not_know_training_or_files = noClasses()
            .that()
            .resideInAnyPackage(ROOT, ROOT + ".inject..", ROOT + ".graph..", ROOT + ".linalg..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(ROOT + ".train..", ROOT + ".io..", ROOT + ".text..", ROOT + ".engine..");

    @ArchTest
    static final ArchRule linalg_stands_alone = classes()
            .that()
            .resideInAPackage(ROOT + ".linalg..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    ROOT,
                    ROOT + ".linalg..",
                    "java..",
                    "org.nd4j..",
                    "org.bytedeco..",
                    "com.sun.jna..",
                    "org.jspecify..",
                    "org.slf4j..");
}
