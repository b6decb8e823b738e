package dev.samediff.adapters.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.Method;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/** Each test of the class may take so many seconds of processor time ({@link Effort}). */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(MostEffort.Limit.class)
public @interface MostEffort {
    /** Seconds of processor time. */
    int seconds();

    /** Runs each test in a thread that is watched. */
    final class Limit implements InvocationInterceptor {
        @Override
        public void interceptTestMethod(
                Invocation<Void> test, ReflectiveInvocationContext<Method> method, ExtensionContext context)
                throws Throwable {
            limit(test, context);
        }

        @Override
        public void interceptTestTemplateMethod(
                Invocation<Void> test, ReflectiveInvocationContext<Method> method, ExtensionContext context)
                throws Throwable {
            limit(test, context);
        }

        private static void limit(Invocation<Void> test, ExtensionContext context) throws Exception {
            int seconds = context.getRequiredTestClass()
                    .getAnnotation(MostEffort.class)
                    .seconds();
            Effort.within(Duration.ofSeconds(seconds), () -> {
                try {
                    return test.proceed();
                } catch (Exception | Error e) {
                    throw e;
                } catch (Throwable e) {
                    throw new AssertionError(e);
                }
            });
        }
    }
}
