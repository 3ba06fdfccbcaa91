-- When somebody approved, by the annotation of a leaving Application, that what asks before it is deleted may go.
alter table applications add column deletion_approved_at timestamptz;
