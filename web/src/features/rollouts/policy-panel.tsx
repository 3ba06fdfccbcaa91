import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { exactly } from '../../lib/time.ts';
import { Drawer, Facts, Section } from '../../ui/drawer.tsx';
import { CopyButton, ErrorNotice } from '../../ui/notice.tsx';
import { SkeletonRows } from '../../ui/parts.tsx';
import { yamlText } from '../resources/yaml-text.ts';
import { inOrder, policyStages } from './policy-stages.ts';
import { policyQuery } from './queries.ts';

/** One RolloutPolicy: its stages in words, and what was applied. */
export function PolicyPanel({ name, onClose }: { name: string; onClose: () => void }) {
  const { data, error, refetch } = useQuery(policyQuery(name));
  const text = useMemo(() => yamlText(inOrder(data?.manifest)), [data]);
  return (
    <Drawer title={name} subtitle="RolloutPolicy" onClose={onClose}>
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      {!data && !error && <SkeletonRows count={6} />}
      {data && (
        <>
          <Section title={`Stages (${data.stages.length})`}>
            <ol className="space-y-2">
              {policyStages(data).map((stage, i) => (
                <li key={stage.name}>
                  <p className="font-medium">
                    {i + 1}. {stage.name}
                  </p>
                  {stage.says.length > 0 && (
                    <p className="break-words text-muted">{stage.says.join(' · ')}</p>
                  )}
                  {stage.gates.map((gate) => (
                    <p key={gate} className="break-words text-muted">
                      gate {gate}
                    </p>
                  ))}
                </li>
              ))}
            </ol>
          </Section>
          <Section title="Facts">
            <Facts
              facts={[
                [
                  'For',
                  data.selects ? `ApplicationSets with ${data.selects}` : 'ApplicationSets that name it',
                ],
                ['Newer releases', data.superseding],
                ['Applied', exactly(data.createdAt)],
                ['Changed', `${exactly(data.updatedAt)} by ${data.updatedBy}`],
              ]}
            />
          </Section>
          <Section title="Manifest" aside={<CopyButton text={text} label="Copy the manifest" />}>
            <pre tabIndex={0} aria-label="Manifest" className="overflow-x-auto font-mono text-xs leading-5">
              {text}
            </pre>
          </Section>
        </>
      )}
    </Drawer>
  );
}
