package dev.samediff.adapters.testing;

import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Gives ND4J's random numbers the same start before each class and each test, whichever others ran before: ND4J starts them from the
 * clock, so that a test which fails once in a thousand runs could not be made to fail again.
 */
public final class SeedOfTests implements TestExecutionListener {
    @Override
    public void executionStarted(TestIdentifier test) {
        Nd4j.getRandom().setSeed(test.getUniqueId().hashCode());
    }
}
