package dev.samediff.tuning.arbiter.page;

import dev.samediff.adapters.InvalidInputException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where a page for the browser is served.
 *
 * @param host an address of this machine, or 0.0.0.0 for all of them
 * @param port its port; 0 for any that is free
 */
public record PageAddress(String host, int port) {
    /** The address that only this machine reaches. */
    public static final String THIS_MACHINE = "127.0.0.1";

    private static final int LAST_PORT = 65535;
    private static final Set<String> LOCAL = Set.of("localhost", THIS_MACHINE, "[::1]");

    /** @throws InvalidInputException if this machine has no such address, or there is no such port */
    public PageAddress {
        if (port < 0 || port > LAST_PORT) {
            throw new InvalidInputException(
                    "no page for the browser on port " + port + ": give one from 1 to " + LAST_PORT + ", or 0 for any");
        }
        if (!isOwn(host)) {
            throw new InvalidInputException("no page for the browser on `" + host
                    + "`: this machine has no such address; give " + THIS_MACHINE
                    + " for this machine only, one of its addresses, or 0.0.0.0 for all of them");
        }
    }

    /** Returns a port that only this machine reaches. */
    public static PageAddress ofThisMachine(int port) {
        return new PageAddress(THIS_MACHINE, port);
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

    /** Returns the address to type into a browser, with a port that was chosen. */
    String url(int chosenPort) {
        boolean byName = LOCAL.contains(name()) || host.equals("0.0.0.0");
        return "http://" + (byName ? "localhost" : name()) + ":" + chosenPort;
    }

    /** Returns the names by which a browser may ask for the page; empty for any. */
    Optional<Set<String>> names() {
        if (!isOfThisMachineOnly()) {
            return Optional.empty();
        }
        return Optional.of(Stream.concat(LOCAL.stream(), Stream.of(name())).collect(Collectors.toUnmodifiableSet()));
    }

    /** The host as it stands in an address. */
    private String name() {
        return host.contains(":") ? "[" + host + "]" : host;
    }
}
