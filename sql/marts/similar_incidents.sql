-- purpose: For each incident of a work list the most similar earlier ones: BM25 over what was written (k1 1.2, b 0.75; Robertson and Zaragoza 2009) as a share of the incident's score against itself, plus what they have in common besides words.
-- grain: incident_id, rank
-- reads: incident_texts
-- params: incident_ids, stop_words, most, structure_weight, least_score
with documents as materialized (
    select
        *,
        -- A text is as long as its words are: those that are full of times and numbers are not longer for it.
        length(translate(text, '0123456789 ', '')) as size
    from (
        select
            incident_id,
            row_number() over (order by incident_id)::integer as number,
            started_at,
            service,
            services,
            signals,
            trim(regexp_replace(lower(text), 'https?://\S+|[^a-z0-9]+', ' ', 'g')) as text
        from incident_texts
    )
),
asked as materialized (
    from documents where incident_id in (select unnest($incident_ids::varchar[]))
),
asked_words as materialized (
    select
        number,
        word,
        -- A plural is the same word; keys are never shown, so that kubernetes may lose its s.
        regexp_replace(regexp_replace(word, 'ies$', 'y'), 's$', '') as stem,
        count(*) as times
    from (select number, unnest(string_split(text, ' ')) as word from asked)
    -- Numbers, ids and times are no words, but for codes such as 503.
    where length(word) between 3 and 30
      and regexp_full_match(word, '[a-z]+[a-z0-9]{0,3}|[45][0-9][0-9]|[a-z]+[0-9]?[a-z]+')
    group by number, word
),
terms as materialized (
    select stem, row_number() over (order by stem)::integer as term
    from (select distinct stem from asked_words)
    where stem not in (
        select regexp_replace(regexp_replace(word, 'ies$', 'y'), 's$', '')
        from (select unnest($stop_words::varchar[]) as word)
    )
),
said as materialized (
    select number, term, sum(times)::integer as times, arg_max(word, (times, word)) as word
    from asked_words
    join terms using (stem)
    group by number, term
),
forms as materialized (
    -- How the terms may be written: no other words are counted.
    select unnest([stem, stem || 's', regexp_replace(stem, 'y$', 'ies')]) as word, term from terms
),
found_terms as materialized (
    select number, term, count(*)::integer as times
    from (select number, unnest(string_split(text, ' ')) as word from documents)
    join (select distinct word, term from forms) as forms using (word)
    group by number, term
),
weights as materialized (
    select term, ln(1 + (total.documents - count(*) + 0.5) / (count(*) + 0.5)) as weight
    from found_terms
    cross join (select count(*) as documents from documents) as total
    group by term, total.documents
),
asked_terms as materialized (
    -- Twenty words tell what a text is about as well as all of them do, and they are rare ones.
    select said.*
    from said
    join weights using (term)
    qualify row_number() over (partition by number order by times * weight desc, word) <= 20
),
matches as materialized (
    select
        found.number,
        found.term,
        -- Whole millionths: a sum of floats depends on the order of its parts.
        (1e6 * weights.weight * found.times * 2.2 / (found.times + 1.2 * (0.25 + 0.75 * documents.size / average.size)))::integer
            as score
    from found_terms as found
    join weights using (term)
    join documents using (number)
    cross join (select greatest(avg(size), 1) as size from documents) as average
    where found.term in (select term from asked_terms)
),
by_text as materialized (
    select asked.number, matches.number as similar_number, sum(asked.times * matches.score)::double as score
    from asked_terms as asked
    join matches using (term)
    group by asked.number, matches.number
),
known_by as materialized (
    select distinct number, kind, name
    from (
        select number, 'service' as kind, service as name from documents where service is not null
        union all
        select number, 'services', unnest(from_json(coalesce(services, '[]'), '["VARCHAR"]')) from documents
        union all
        select number, split_part(signal, ':', 1), substr(signal, strpos(signal, ':') + 1)
        from (select number, unnest(from_json(coalesce(signals, '[]'), '["VARCHAR"]')) as signal from documents)
    )
),
signals as materialized (
    select
        known_by.*,
        (1e9 * kinds.importance * ln(1 + (total.documents - common.documents + 0.5) / (common.documents + 0.5)))::bigint as score
    from known_by
    join (select kind, name, count(*) as documents from known_by group by kind, name) as common using (kind, name)
    join (values ('service', 2.0), ('alarm', 2.0), ('error', 1.0), ('policy', 1.0), ('services', 0.5), ('action', 0.5))
        as kinds (kind, importance) using (kind)
    cross join (select count(*) as documents from documents) as total
),
by_structure as materialized (
    select mine.number, theirs.number as similar_number, sum(mine.score)::double as score
    from signals as mine
    join signals as theirs on theirs.kind = mine.kind and theirs.name = mine.name
    where mine.number in (select number from asked)
    group by mine.number, theirs.number
),
scored as (
    select
        asked.number,
        asked.incident_id,
        other.number as similar_number,
        other.incident_id as similar_id,
        -- A shorter text with the same words scores higher than the incident itself; nothing is more alike than the same.
        least(coalesce(words.score / nullif(own_words.score, 0), 0), 1) as text_score,
        coalesce(structure.score / nullif(own_structure.score, 0), 0) as structure_score
    from (
        select number, similar_number from by_text
        union
        select number, similar_number from by_structure
    ) as pair
    join asked on asked.number = pair.number
    -- A later incident was no lesson for this one.
    join documents as other on other.number = pair.similar_number and other.started_at < asked.started_at
    left join by_text as words on words.number = pair.number and words.similar_number = pair.similar_number
    left join by_text as own_words on own_words.number = pair.number and own_words.similar_number = pair.number
    left join by_structure as structure on structure.number = pair.number and structure.similar_number = pair.similar_number
    left join by_structure as own_structure on own_structure.number = pair.number and own_structure.similar_number = pair.number
),
ranked as materialized (
    select
        number,
        incident_id,
        similar_number,
        similar_id,
        round(text_score + $structure_weight * structure_score, 6) as score,
        round(text_score, 6) as text_score,
        row_number() over (
            partition by number order by round(text_score + $structure_weight * structure_score, 6) desc, similar_id
        ) as rank
    from scored
    where text_score + $structure_weight * structure_score >= $least_score
    qualify rank <= $most
),
-- What the found ones have comes first and by itself: joined the other way round, every incident would meet every other.
their_words as materialized (
    select ranked.number, ranked.similar_number, matches.term, matches.score
    from ranked
    join matches on matches.number = ranked.similar_number
),
shared_words as (
    select
        theirs.number,
        theirs.similar_number,
        list(asked.word order by asked.times * theirs.score desc, asked.word)[:5] as words
    from their_words as theirs
    join asked_terms as asked using (number, term)
    group by theirs.number, theirs.similar_number
),
their_signals as materialized (
    select ranked.number, ranked.similar_number, signals.kind, signals.name, signals.score
    from ranked
    join signals on signals.number = ranked.similar_number
),
shared_signals as (
    select theirs.number, theirs.similar_number, kind, list(name order by theirs.score desc, name)[:5] as names
    from their_signals as theirs
    semi join signals as mine using (number, kind, name)
    -- The incident's own service is told by itself.
    where not (kind = 'services' and exists (from asked where asked.number = theirs.number and asked.service = theirs.name))
    group by theirs.number, theirs.similar_number, kind
),
reasons as (
    select
        number,
        similar_number,
        list(
            case kind
                when 'service' then 'same service '
                when 'services' then 'touched the same services: '
                when 'alarm' then 'same alarm '
                when 'policy' then 'same policy '
                when 'action' then 'same action '
                when 'error' then 'same error: '
            end || array_to_string(names, ', ')
            order by list_position(['service', 'services', 'alarm', 'policy', 'action', 'error'], kind)
        ) as sentences
    from shared_signals
    group by number, similar_number
)
select
    ranked.incident_id,
    ranked.rank::smallint as rank,
    ranked.similar_id,
    ranked.score::double as score,
    ranked.text_score::double as text_score,
    to_json(list_concat(
        coalesce(reasons.sentences, []),
        case when shared_words.words is null then [] else ['shares the words ' || array_to_string(shared_words.words, ', ')] end
    ))::varchar as reasons
from ranked
left join reasons using (number, similar_number)
left join shared_words using (number, similar_number)
