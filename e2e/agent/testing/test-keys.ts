import { generateKeyPairSync } from 'node:crypto';
import { sha256 } from '@muster/base';
import { rawPublicKey, signRecord } from '@muster/link';
import { KeySet, KeyUse, Registration, type Signed } from '@muster/proto/records';

const newKey = () => generateKeyPairSync('ed25519').privateKey;

/** The signing keys of a test's hub, and what they sign for an agent that joins. */
export class TestKeys {
  private readonly root = newKey();
  private readonly assignments = newKey();
  private readonly commands = newKey();

  get rootPublicKey(): Buffer {
    return rawPublicKey(this.root);
  }

  get hubId(): string {
    return sha256(this.rootPublicKey).slice(0, 32);
  }

  sign(domain: 'muster.assignment.v1' | 'muster.command.v1' | 'muster.ask.v1', payload: Uint8Array): Signed {
    return domain === 'muster.assignment.v1'
      ? signRecord(domain, payload, this.assignments, 'a1')
      : signRecord(domain, payload, this.commands, 'c1');
  }

  keySet(): Signed {
    const keys = [
      { id: 'a1', use: KeyUse.ASSIGNMENT, publicKey: rawPublicKey(this.assignments) },
      { id: 'c1', use: KeyUse.COMMAND, publicKey: rawPublicKey(this.commands) },
    ];
    const payload = KeySet.encode({ hubId: this.hubId, version: 1n, keys }).finish();
    return signRecord('muster.keyset.v1', payload, this.root, 'root');
  }

  registration(clusterId: string): Signed {
    const named = { hubId: this.hubId, clusterId, name: 'test', revision: 1n };
    const payload = Registration.encode(Registration.fromPartial(named)).finish();
    return signRecord('muster.registration.v1', payload, this.assignments, 'a1');
  }
}
