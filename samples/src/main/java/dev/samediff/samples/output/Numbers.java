package dev.samediff.samples.output;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;

/** Numbers as a reader wants them: rounded to what they mean, the same in every locale. */
public final class Numbers {
    private Numbers() {}

    /** Returns a count with a comma between thousands. */
    public static String count(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    /** Returns a loss or similar with four decimals; "-" for what was not measured (NaN). */
    public static String decimal(double value) {
        return decimal(value, 4);
    }

    /** Returns a number with so many decimals; "-" for what was not measured (NaN). */
    public static String decimal(double value, int decimals) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    /** Returns a share in 0..1 as a percentage with one decimal; "-" for what was not measured (NaN). */
    public static String percent(double share) {
        return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.1f%%", 100 * share);
    }

    /** Returns a setting such as a learning rate in the shortest exact form: 0.003, 4e-4, 1e-5. */
    public static String setting(double value) {
        if (value == 0 || Double.isInfinite(value) || Double.isNaN(value)) {
            return value == 0 ? "0" : Double.toString(value);
        }
        if (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e7) {
            return new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
        }
        return Double.toString(value).toLowerCase(Locale.ROOT).replace(".0e", "e");
    }

    /** Returns a number of bytes in the largest unit of which it has at least one: 812 B, 3.4 MB, 1.2 GB. */
    public static String bytes(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        double value = bytes;
        String unit = "";
        for (String next : new String[] {"kB", "MB", "GB", "TB"}) {
            if (value < 1000) {
                break;
            }
            value /= 1000;
            unit = next;
        }
        return String.format(Locale.ROOT, value < 100 ? "%.1f %s" : "%.0f %s", value, unit);
    }

    /** Returns a time as 0.41 s, 12.3 s or 3 min 5 s. */
    public static String duration(Duration time) {
        double seconds = time.toNanos() / 1e9;
        if (seconds < 10) {
            return String.format(Locale.ROOT, "%.2f s", seconds);
        }
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }
        return time.toMinutes() + " min " + time.toSecondsPart() + " s";
    }
}
