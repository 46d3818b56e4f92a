"""Language symbols of text models, in the order of their embeddings, and codes of languages."""

MBART_25_SYMBOLS = tuple(
    "ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM ne_NP nl_XX "
    "ro_RO ru_RU si_LK tr_TR vi_VN zh_CN".split()
)
MBART_50_SYMBOLS = (
    *MBART_25_SYMBOLS,
    *"af_ZA az_AZ bn_IN fa_IR he_IL hr_HR id_ID ka_GE km_KH mk_MK ml_IN mn_MN mr_IN pl_PL ps_AF pt_XX sv_SE".split(),
    *"sw_KE ta_IN te_IN th_TH tl_XX uk_UA ur_PK xh_ZA gl_ES sl_SI".split(),
)
M2M_100_SYMBOLS = tuple(
    f"__{code}__"
    for code in (
        "af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr ht hu "
        "hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or pa pl ps pt "
        "ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh zu"
    ).split()
)
NLLB_200_SYMBOLS = tuple(
    (
        "ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn amh_Ethi apc_Arab arb_Arab ars_Arab "
        "ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn ban_Latn bel_Cyrl "
        "bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn ceb_Latn ces_Latn "
        "cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek eng_Latn epo_Latn "
        "est_Latn eus_Latn ewe_Latn fao_Latn pes_Arab fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn gla_Latn "
        "gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn hun_Latn hye_Armn "
        "ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab "
        "kas_Deva kat_Geor knc_Arab knc_Latn kaz_Cyrl kbp_Latn kea_Latn khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn "
        "kon_Latn kor_Hang kmr_Latn lao_Laoo lvs_Latn lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn "
        "lua_Latn lug_Latn luo_Latn lus_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Latn mkd_Cyrl plt_Latn mlt_Latn "
        "mni_Beng khk_Cyrl mos_Latn mri_Latn zsm_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva nso_Latn nus_Latn "
        "nya_Latn oci_Latn gaz_Latn ory_Orya pag_Latn pan_Guru pap_Latn pol_Latn por_Latn prs_Arab pbt_Arab quy_Latn "
        "ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Beng scn_Latn shn_Mymr sin_Sinh slk_Latn slv_Latn smo_Latn "
        "sna_Latn snd_Arab som_Latn sot_Latn spa_Latn als_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn swe_Latn swh_Latn "
        "szl_Latn tam_Taml tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi taq_Latn taq_Tfng tpi_Latn tsn_Latn "
        "tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab uzn_Latn vec_Latn "
        "vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant zul_Latn"
    ).split()
)
# ISO 639-1 (or what M2M-100 has in its place) -> ISO 639-3 of the language, of the one that text models have of a group
# of languages, and ISO 639-2
THREE_LETTERS = {
    two: tuple(three.split(","))
    for two, _, three in (
        pair.partition(":")
        for pair in (
            "af:afr am:amh ar:arb,ara as:asm ast:ast az:azj,aze ba:bak be:bel bg:bul bn:ben bo:bod br:bre bs:bos "
            "ca:cat ceb:ceb cs:ces,cze cy:cym da:dan de:deu,ger dz:dzo ee:ewe el:ell,gre en:eng eo:epo es:spa "
            "et:est,ekk eu:eus,baq fa:pes,fas,per ff:fuv,ful fi:fin fj:fij fo:fao fr:fra,fre fy:fry ga:gle gd:gla "
            "gl:glg gn:grn gu:guj ha:hau he:heb hi:hin hr:hrv ht:hat hu:hun hy:hye,arm id:ind ig:ibo is:isl,ice "
            "it:ita ja:jpn jv:jav ka:kat,geo kg:kon ki:kik kk:kaz km:khm kn:kan ko:kor ks:kas ku:kmr,kur ky:kir "
            "lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lv:lvs,lav mg:plt,mlg mi:mri mk:mkd,mac ml:mal mn:khk,mon "
            "mr:mar ms:zsm,msa,may mt:mlt my:mya,bur nb:nob ne:npi,nep nl:nld,dut nn:nno no:nob,nor ns:nso ny:nya "
            "oc:oci om:gaz,orm or:ory,ori pa:pan pl:pol ps:pbt,pus pt:por qu:quy,que rn:run ro:ron,rum ru:rus "
            "rw:kin sa:san sc:srd sd:snd sg:sag si:sin sk:slk,slo sl:slv sm:smo sn:sna so:som sq:als,sqi,alb "
            "sr:srp ss:ssw st:sot su:sun sv:swe sw:swh,swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl "
            "tn:tsn tr:tur ts:tso tt:tat tw:twi ug:uig uk:ukr ur:urd uz:uzn,uzb vi:vie wo:wol xh:xho yi:ydd,yid "
            "yo:yor zh:zho,cmn,chi zu:zul"
        ).split()
    )
}
