// SPDX-License-Identifier: Apache-2.0
// The counters that people and programs read, by the keys that dbus/*.xml documents. All of them only
// grow while the daemon runs, but for those that say how much there is now.

import type { DeviceStats } from '../addon/types.ts';
import type { LinkContext } from './context.ts';
import type { Device } from './device.ts';
import type { Endpoint } from './endpoint.ts';

export type Stats = Record<string, bigint>;

export function deviceStats({ link }: LinkContext, device: Device): Stats {
  const counted: DeviceStats = link.deviceStats(device.remote.index, device.index);
  const { malformed, duplicate, unknown, refused } = device.channels.counters;
  const endpoints = [...device.endpoints];
  const queued = endpoints.reduce((sum, { delivery }) => sum + delivery.queued, 0);
  const waiting = endpoints.reduce((sum, { waitingSends }) => sum + waitingSends, 0);
  return {
    rx_messages: counted.rxMessages,
    rx_bytes: counted.rxBytes,
    rx_kicks: counted.rxWords,
    rx_drops: counted.rxDropped,
    rx_no_endpoint: counted.rxNoEndpoint,
    rx_malformed: counted.rxMalformed,
    rx_faults: counted.rxFaults,
    tx_messages: counted.txMessages,
    tx_bytes: counted.txBytes,
    tx_kicks: counted.txWords,
    tx_waits: counted.txWaits,
    tx_timeouts: counted.txTimeouts,
    tx_faults: counted.txFaults,
    names_malformed: BigInt(malformed),
    names_duplicate: BigInt(duplicate),
    names_unknown: BigInt(unknown),
    names_refused: BigInt(refused),
    names_stale: BigInt(device.staleAnnouncements),
    rx_queued: BigInt(queued),
    tx_unused: counted.txUnused,
    tx_waiting: BigInt(waiting),
  };
}

export function endpointStats(endpoint: Endpoint): Stats {
  const counted = endpoint.stats();
  return {
    rx_messages: counted.rxMessages,
    rx_bytes: counted.rxBytes,
    rx_drops: counted.rxDropped + BigInt(endpoint.delivery.overflowed),
    rx_overruns: BigInt(endpoint.delivery.overruns),
    tx_messages: counted.txMessages,
    tx_bytes: counted.txBytes,
    tx_unreported: BigInt(endpoint.unreported),
    rx_foreign: counted.rxForeign,
    rx_empty: counted.rxEmpty,
    tx_refused: counted.txRefused,
    tx_discarded: counted.txDropped,
    rx_queued: BigInt(endpoint.delivery.queued),
    tx_waiting: BigInt(endpoint.waitingSends),
  };
}
