package dev.samediff.adapters.testing;

import dev.samediff.adapters.backend.Backend;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/** Selects the backend before the first test: CUDA with {@code -Pcuda} where it is usable, else the CPU. */
public final class BackendOfTests implements LauncherSessionListener {
    @Override
    public void launcherSessionOpened(LauncherSession session) {
        Backend.AUTO.select();
    }
}
