import type { ReleaseDiffGroup } from '@muster/api';
import { groupTitle } from '@muster/api/markdown';
import { useState } from 'react';
import { Button } from '../../ui/parts.tsx';
import { openAtFirst } from './diff-lines.ts';
import { ObjectDifference } from './object-difference.tsx';

const FIRST_MEMBERS = 3;
const FIRST_OBJECTS = 50;

/** Manifests: what is identical is shown once, with the targets that share it. */
export function Groups({ groups, more }: { groups: readonly ReleaseDiffGroup[]; more: number }) {
  if (groups.length === 0) return null;
  return (
    <section aria-label="Manifests" className="px-4 pt-4">
      <h3 className="mb-1.5 text-xs font-semibold text-muted">Manifests</h3>
      <ol className="space-y-3">
        {groups.map((group, i) => (
          <li key={`${group.change} ${group.members[0]?.name} ${group.members[0]?.cluster}`}>
            <Group group={group} first={i === 0} />
          </li>
        ))}
      </ol>
      {more > 0 && (
        <p className="mt-2 text-muted">
          … and {more} more groups of targets.{' '}
          <code className="font-mono text-xs">muster release diff --full</code> shows all.
        </p>
      )}
    </section>
  );
}

function Group({ group, first }: { group: ReleaseDiffGroup; first: boolean }) {
  const { alike, members, more, objects, omitted } = group;
  const [most, setMost] = useState(FIRST_OBJECTS);
  const named = members
    .slice(0, FIRST_MEMBERS)
    .map(({ name, cluster }) => `${name}${cluster ? ` on ${cluster}` : ''}`);
  const rest = more + members.length - named.length;
  const open = first ? openAtFirst(objects) : 0;
  return (
    <div className="rounded-md border border-line">
      <div className="bg-raised/60 px-3 py-1.5">
        <p className="font-medium">{groupTitle(group)}</p>
        <p
          className="break-words text-muted"
          title={members
            .map(({ namespace, name, cluster }) => `${namespace}/${name} (${cluster ?? '-'})`)
            .join('\n')}
        >
          {named.join(', ')}
          {rest > 0 && ` and ${rest} more`}
          {alike === 'but for names' &&
            members[0] &&
            `; the same but for their names, shown as for ${members[0].name}`}
        </p>
      </div>
      {omitted && (
        <p className="px-3 py-1.5 text-warn">
          This is too large for one answer. Compare a single cluster: add @CLUSTER to both names.
        </p>
      )}
      <ul>
        {objects.slice(0, most).map((object, i) => (
          <li
            key={`${object.apiVersion} ${object.kind} ${object.namespace} ${object.name}`}
            className="border-t border-line"
          >
            <ObjectDifference object={object} open={i < open} />
          </li>
        ))}
      </ul>
      {objects.length > most && (
        <p className="border-t border-line px-3 py-1.5">
          <Button onClick={() => setMost(most + FIRST_OBJECTS)}>
            Show more of {objects.length - most} objects
          </Button>
        </p>
      )}
    </div>
  );
}
