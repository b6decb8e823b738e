package dev.samediff.samples;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.samediff.adapters.Internal;

/** The samples are applications: what they need is public. */
@AnalyzeClasses(packages = "dev.samediff", importOptions = ImportOption.DoNotIncludeTests.class)
class InternalPackagesTest {
    private static final DescribedPredicate<JavaClass> INTERNAL = DescribedPredicate.describe(
            "are in an @Internal package", type -> type.getPackage().isAnnotatedWith(Internal.class));

    @ArchTest
    static final ArchRule applications_use_no_internal_packages = noClasses()
            .that()
            .resideInAnyPackage("dev.samediff.samples..", "dev.samediff.tuning..", "dev.samediff.dl4j..")
            .should()
            .dependOnClassesThat(INTERNAL);

    @ArchTest
    static void there_are_internal_packages(JavaClasses classes) {
        assertThat(classes.stream()
                        .filter(INTERNAL)
                        .map(JavaClass::getPackageName)
                        .distinct())
                .contains("dev.samediff.adapters.inject", "dev.samediff.adapters.engine.program");
    }
}
