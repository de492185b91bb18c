-- purpose: Every size that the catalog knows, with its CPU and memory.
-- grain: size_name
-- reads: instance_types, rds_classes
-- params: -
select instance_type as size_name, vcpu::double as vcpu, memory_gib::double as memory_gib from instance_types
union all
select instance_class, vcpu::double, memory_gib::double from rds_classes
