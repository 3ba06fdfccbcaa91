import type { SessionRequest } from '@muster/proto';
import type { Assignment, Version } from '@muster/proto/records';
import { ZERO } from './version.ts';

export function versionOf(assignment: Assignment): Version {
  return assignment.version ?? ZERO;
}

export function asHeldLine(held: { assignment: Assignment; payloadSha256: Buffer }) {
  const { applicationNamespace, applicationName, action } = held.assignment;
  return {
    applicationNamespace,
    applicationName,
    version: versionOf(held.assignment),
    payloadSha256: held.payloadSha256,
    action,
  };
}

export function asGone(assignment: Assignment, nowMs: number) {
  const { applicationNamespace, applicationName, version, action } = assignment;
  return { applicationNamespace, applicationName, version, action, finishedAtMs: BigInt(nowMs) };
}

type Message = NonNullable<SessionRequest['message']>;

interface Sending {
  kind: 'send';
  message: Message;
}

export function send<C extends Message['$case']>(
  $case: C,
  value: Extract<Message, { $case: C }>['value'],
): Sending {
  return { kind: 'send', message: { $case, value } as Message };
}

export function asReport(value: Extract<Message, { $case: 'report' }>['value']): Sending {
  return send('report', value);
}

export function acknowledge(assignment: Assignment, payloadSha256: Buffer): Sending {
  const { applicationNamespace, applicationName, version } = assignment;
  return send('assignmentAck', {
    applicationNamespace,
    applicationName,
    version,
    refused: '',
    payloadSha256,
  });
}
