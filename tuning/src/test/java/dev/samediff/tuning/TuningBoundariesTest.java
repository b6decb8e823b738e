package dev.samediff.tuning;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The "only here" rules of docs/tuning.md. */
@AnalyzeClasses(packages = "dev.samediff.tuning", importOptions = ImportOption.DoNotIncludeTests.class)
class TuningBoundariesTest {
    private static final String ROOT = "dev.samediff.tuning";

    @ArchTest
    static final ArchRule arbiter_is_known_in_arbiter_only = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".arbiter..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.deeplearning4j.arbiter..");

    @ArchTest
    static final ArchRule the_page_for_the_browser_is_known_in_its_package_only = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".arbiter.page..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "org.deeplearning4j.ui..",
                    "org.deeplearning4j.arbiter.ui..",
                    "org.deeplearning4j.nn..",
                    "io.vertx..");

    @ArchTest
    static final ArchRule spark_is_known_in_spark_only = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".spark..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.spark..", "scala..");

    @ArchTest
    static final ArchRule spaces_and_estimators_know_no_trials = noClasses()
            .that()
            .resideInAnyPackage(ROOT + ".space..", ROOT + ".tpe..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    ROOT, ROOT + ".arbiter..", ROOT + ".journal..", ROOT + ".training..", ROOT + ".spark..");
}
