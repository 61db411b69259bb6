-- Where an installation or an upgrade ends.  The switches of each way in are settings here.
SET LOCAL periodic_schedule.is_upgrade = 'on';
SELECT a.what, a.detail
FROM periodic_schedule.attach(
    engine => nullif(current_setting('periodic_schedule.engine', true), ''),
    name => nullif(current_setting('periodic_schedule.name', true), ''),
    take_over => nullif(current_setting('periodic_schedule.take_over', true), '')
) AS a;
