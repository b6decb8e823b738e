package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where a server of this library listens, and to whom.
 *
 * <p>A server that only this machine reaches answers only to names of this machine: otherwise a page from elsewhere could have a browser of
 * this machine ask under a name of its own that leads here.
 *
 * @param host an address of this machine, or 0.0.0.0 for all of them
 * @param port its port; 0 for any that is free
 */
public record ListenAddress(String host, int port) {
    /** The address that only this machine reaches. */
    public static final String THIS_MACHINE = "127.0.0.1";

    private static final int LAST_PORT = 65535;
    private static final Set<String> LOCAL = Set.of("localhost", THIS_MACHINE, "[::1]");

    /** @throws InvalidInputException if this machine has no such address, or there is no such port */
    public ListenAddress {
        if (port < 0 || port > LAST_PORT) {
            throw new InvalidInputException(
                    "nobody can listen to port " + port + ": give one from 1 to " + LAST_PORT + ", or 0 for any");
        }
        if (!isOwn(host)) {
            throw new InvalidInputException("nobody can listen to `" + host
                    + "`: this machine has no such address; give " + THIS_MACHINE
                    + " for this machine only, one of its addresses, or 0.0.0.0 for all of them");
        }
    }

    /** Returns a port that only this machine reaches. */
    public static ListenAddress ofThisMachine(int port) {
        return new ListenAddress(THIS_MACHINE, port);
    }

    private static boolean isOwn(String host) {
        try {
            InetAddress address = InetAddress.getByName(host);
            return !host.isBlank()
                    && (address.isAnyLocalAddress()
                            || address.isLoopbackAddress()
                            || NetworkInterface.getByInetAddress(address) != null);
        } catch (UnknownHostException | SocketException e) {
            return false;
        }
    }

    /** Returns whether no other machine can look. */
    public boolean isOfThisMachineOnly() {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /**
     * Returns the address to type into a browser.
     *
     * @param chosenPort the port that the system chose
     */
    public String url(int chosenPort) {
        boolean byName = LOCAL.contains(name()) || host.equals("0.0.0.0");
        return "http://" + (byName ? "localhost" : name()) + ":" + chosenPort;
    }

    /**
     * Returns whether a request is answered.
     *
     * @param hostHeader its header {@code Host}: the name by which it was asked for, perhaps with a port
     */
    public boolean answersTo(@Nullable String hostHeader) {
        if (!isOfThisMachineOnly()) {
            return true;
        }
        String asked =
                hostHeader == null ? "" : hostHeader.replaceFirst(":\\d*$", "").toLowerCase(Locale.ROOT);
        return LOCAL.contains(asked) || name().equals(asked);
    }

    /** The host as it stands in an address. */
    private String name() {
        return host.contains(":") ? "[" + host + "]" : host;
    }
}
