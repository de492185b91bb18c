-- purpose: Severity and service of the decision engine's incidents, with the team of the service.
-- grain: incident_id
-- reads: incidents, services
-- params: -
select incidents.incident_id, incidents.severity, incidents.service, services.team
from incidents
left join services using (service)
order by incidents.incident_id
