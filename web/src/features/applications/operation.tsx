import type { ApplicationView } from '@muster/api';
import { exactly } from '../../lib/time.ts';
import { Section } from '../../ui/drawer.tsx';
import { Ago, StateWord } from '../../ui/parts.tsx';
import { healthTone } from './state.ts';

type Operation = NonNullable<ApplicationView['operation']>;

/** The sync or removal that runs, or the last one: how far it is, what it waits for, its hooks. */
export function OperationSection({ app: { operation } }: { app: ApplicationView }) {
  if (!operation) return null;
  const failed = ['Failed', 'Error'].includes(operation.phase);
  const at = operation.finishedAt ?? operation.startedAt;
  return (
    <Section
      title={operation.phase === 'Running' ? 'Running now' : 'Last sync'}
      aside={
        at && (
          <>
            {operation.finishedAt ? 'finished' : 'started'} <Ago at={at} suffix=" ago" />
          </>
        )
      }
    >
      <p>
        <span className={failed ? 'font-medium text-bad' : 'font-medium'}>{operation.phase}</span>
        {operation.step && (
          <span>
            {' '}
            in {operation.step}, wave {operation.wave ?? 0}
          </span>
        )}
        {operation.retries > 0 && <span className="text-muted"> after {operation.retries} retries</span>}
      </p>
      {operation.message && <p className="break-words whitespace-pre-wrap text-muted">{operation.message}</p>}
      {operation.deadline && (
        <p className="text-muted">Fails at {exactly(operation.deadline)} at the latest.</p>
      )}
      {operation.nextTry && <NextTry {...operation.nextTry} />}
      <Waits operation={operation} />
      <Hooks hooks={operation.hooks ?? []} />
    </Section>
  );
}

function NextTry({ attempt, limit, at }: NonNullable<Operation['nextTry']>) {
  return (
    <p className="text-muted">
      Tried again{at && ` at ${exactly(at)}`}: retry {attempt}
      {limit !== undefined && ` of ${limit}`}.
    </p>
  );
}

function Waits({ operation: { waitsFor = [], waitsForTotal = 0 } }: { operation: Operation }) {
  if (waitsFor.length === 0) return null;
  const more = waitsForTotal - waitsFor.length;
  return (
    <>
      <h4 className="mt-2 font-medium">Waits for</h4>
      <ul className="space-y-1">
        {waitsFor.map((each) => (
          <li key={`${each.group}/${each.kind}/${each.namespace}/${each.name}`}>
            {each.health && <StateWord word={each.health} tone={healthTone(each.health)} />}{' '}
            <Named {...each} />
            {each.message && <p className="break-words text-muted">{each.message}</p>}
          </li>
        ))}
        {more > 0 && <li className="text-muted">and {more} more</li>}
      </ul>
    </>
  );
}

const HOOK_TONES = { Running: 'warn', Succeeded: 'good', Failed: 'bad' } as const;

function Hooks({ hooks }: { hooks: NonNullable<Operation['hooks']> }) {
  if (hooks.length === 0) return null;
  return (
    <>
      <h4 className="mt-2 font-medium">Hooks</h4>
      <ul className="space-y-1">
        {hooks.map((each) => (
          <li key={`${each.step} ${each.group}/${each.kind}/${each.namespace}/${each.name}`}>
            <StateWord
              word={each.status}
              tone={HOOK_TONES[each.status as keyof typeof HOOK_TONES] ?? 'idle'}
            />{' '}
            {each.step} <Named {...each} />
            {each.message && <p className="break-words text-muted">{each.message}</p>}
          </li>
        ))}
      </ul>
    </>
  );
}

function Named({ kind, namespace, name }: { kind: string; namespace: string; name: string }) {
  return (
    <code className="font-mono text-xs">
      {kind} {namespace && `${namespace}/`}
      {name}
    </code>
  );
}
