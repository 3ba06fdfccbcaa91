import type { DesiredAssignment, HeldLine } from '@muster/link';
import { Action } from '@muster/proto';
import type { Row } from '../store/schema.ts';

type Line = Pick<
  Row<'assignments'>,
  'application_namespace' | 'application_name' | 'epoch' | 'generation' | 'payload_sha256' | 'action'
>;
type Signed = Pick<Row<'assignments'>, 'payload' | 'signature' | 'key_id'>;

const ACTIONS = { apply: Action.APPLY, orphan: Action.ORPHAN, uninstall: Action.UNINSTALL } as const;

/** An assignment's row as the link machine compares it. */
export function heldLine(row: Line): HeldLine {
  return {
    applicationNamespace: row.application_namespace,
    applicationName: row.application_name,
    version: { epoch: row.epoch, generation: row.generation },
    payloadSha256: row.payload_sha256,
    action: ACTIONS[row.action],
  };
}

/** The same with the bytes to send: exactly those that were signed. */
export function desiredAssignment(row: Line & Signed): DesiredAssignment {
  return { ...heldLine(row), signed: { payload: row.payload, signature: row.signature, keyId: row.key_id } };
}
