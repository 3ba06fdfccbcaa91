import type { InputHTMLAttributes, ReactNode } from 'react';

/** A one-line field as the page has them. */
export function TextField({ className = '', ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  return (
    <input
      className={`h-7 rounded-md border border-line bg-ground px-2 placeholder:text-muted ${className}`}
      {...rest}
    />
  );
}

/** A box to tick, with its words. */
export function CheckField({
  checked,
  onChange,
  disabled = false,
  children,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  children: ReactNode;
}) {
  return (
    <label className="flex cursor-pointer items-center gap-1.5 has-disabled:cursor-default has-disabled:text-muted">
      <input
        type="checkbox"
        className="accent-accent"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      {children}
    </label>
  );
}

/** One of several; the label is for who does not see it. */
export function SelectField({
  label,
  value,
  onChange,
  children,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  children: ReactNode;
}) {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      className="h-7 max-w-44 rounded-md border border-line bg-ground px-1.5"
    >
      {children}
    </select>
  );
}
