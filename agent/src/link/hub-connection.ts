import type { AgentServiceClient } from '@muster/proto';
import type { IdentityRecord } from '../state/records.ts';
import { agentClient } from './channel.ts';

/** The channel to the hub's session port; a renewed certificate is used from the next stream on. */
export class HubConnection {
  private readonly address: string;
  private current: AgentServiceClient;
  private known: IdentityRecord;
  private retired: AgentServiceClient[] = [];

  constructor(address: string, identity: IdentityRecord) {
    this.address = address;
    this.known = identity;
    this.current = agentClient(address, identity);
  }

  get identity(): IdentityRecord {
    return this.known;
  }

  get client(): AgentServiceClient {
    return this.current;
  }

  /** The open stream stays on the old channel until it ends by itself. */
  use(identity: IdentityRecord): void {
    this.known = identity;
    this.retired.push(this.current);
    this.current = agentClient(this.address, identity);
  }

  /** The channel for a stream that takes the place of the one before. */
  forNewStream(): AgentServiceClient {
    for (const old of this.retired.splice(0)) old.close();
    return this.current;
  }

  close(): void {
    for (const client of [...this.retired, this.current]) client.close();
  }
}
