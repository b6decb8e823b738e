package dev.samediff.adapters;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The "only here" rules of docs/architecture.md. */
@AnalyzeClasses(packages = "dev.samediff.adapters", importOptions = ImportOption.DoNotIncludeTests.class)
class PackageBoundariesTest {
    private static final String ROOT = "dev.samediff.adapters";

    @ArchTest
    static final ArchRule openblas_is_called_in_linalg_and_kernels_only = noClasses()
            .that()
            .resideOutsideOfPackages(ROOT + ".linalg..", ROOT + ".engine.kernel..")
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
