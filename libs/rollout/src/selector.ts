/** What labels a thing has. */
export type Labels = Readonly<Record<string, string>>;

export interface LabelExpression {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values: string[];
}

/** A label selector as Kubernetes writes it; everything must hold, and an empty one selects all. */
export interface LabelSelector {
  matchLabels: Record<string, string>;
  matchExpressions: LabelExpression[];
}

/** Whether labels are selected. Without the key, `NotIn` and `DoesNotExist` hold and the others do not. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => labels[key] === value) &&
    selector.matchExpressions.every((expression) => holds(expression, labels[expression.key]))
  );
}

export function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels).length + selector.matchExpressions.length === 0;
}

function holds({ operator, values }: LabelExpression, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}
